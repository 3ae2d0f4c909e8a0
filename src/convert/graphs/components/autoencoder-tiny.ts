/** diffusers' AutoencoderTiny (TAESD's design). Pictures are -1..1 outside and 0..1 inside. */
import type { AutoencoderTinyConfig } from '../../checkpoint/autoencoder-config.ts';
import type { Value } from '../builder.ts';
import type { Layers } from '../layers.ts';
import { convolution, upsample } from './convolution.ts';
import { affine } from './latents.ts';

/** Latents are clamped softly to this magnitude before they are decoded. */
const MAGNITUDE = 3;

/** DecoderTiny: `x` [1, channels, h, w] to a picture [1, 3, 8h, 8w]. */
export async function decodeTiny(
  layers: Layers,
  config: AutoencoderTinyConfig,
  x: Value,
): Promise<Value> {
  const { graph, weights } = layers;
  const [width = 0] = config.decoder_block_out_channels;
  weights.expectShapes({ 'decoder.layers.0.weight': [width, config.latent_channels, 3, 3] });
  x = graph.op('Tanh', [affine(layers, x, 1 / MAGNITUDE, 0)]);
  x = affine(layers, x, MAGNITUDE, 0);

  const next = layerNames('decoder');
  x = graph.op('Relu', [await convolution(layers, x, next())]);
  next(); // the activation
  const stages = config.num_decoder_blocks;
  for (const [stage, blocks] of stages.entries()) {
    for (let i = 0; i < blocks; i++) x = await residualBlock(layers, x, next());
    if (stage < stages.length - 1) x = upsample(layers, x, next());
    x = await convolution(layers, x, next());
  }
  graph.within('output');
  return affine(layers, x, 2, -1);
}

/** EncoderTiny: a picture `x` [1, 3, 8h, 8w] to [1, channels, h, w]. */
export async function encodeTiny(
  layers: Layers,
  config: AutoencoderTinyConfig,
  x: Value,
): Promise<Value> {
  const [width = 0] = config.encoder_block_out_channels;
  layers.weights.expectShapes({ 'encoder.layers.0.weight': [width, config.in_channels, 3, 3] });
  x = affine(layers, x, 0.5, 0.5);

  const next = layerNames('encoder');
  for (const [stage, blocks] of config.num_encoder_blocks.entries()) {
    x = await convolution(layers, x, next(), stage === 0 ? {} : { stride: 2 });
    for (let i = 0; i < blocks; i++) x = await residualBlock(layers, x, next());
  }
  return convolution(layers, x, next());
}

/** Counts as diffusers' nn.Sequential does. */
function layerNames(half: 'encoder' | 'decoder'): () => string {
  let index = 0;
  return () => `${half}.layers.${index++}`;
}

/** AutoencoderTinyBlock with as many channels out as in. */
async function residualBlock(layers: Layers, x: Value, module: string): Promise<Value> {
  const { graph } = layers;
  let y = graph.op('Relu', [await convolution(layers, x, `${module}.conv.0`)]);
  y = graph.op('Relu', [await convolution(layers, y, `${module}.conv.2`)]);
  y = await convolution(layers, y, `${module}.conv.4`);
  return graph.op('Relu', [graph.op('Add', [y, x])]);
}
