/** The decoder of diffusers' AutoencoderTiny (TAESD's design): latents to a picture. */
import { GraphBuilder, type Precision, type Value } from '../builder.ts';
import type { AutoencoderConfig } from '../configs.ts';
import { Layers } from '../layers.ts';
import type { Weights } from '../weights.ts';

/** Latents are clamped softly to this magnitude before they are decoded. */
const MAGNITUDE = 3;

/**
 * Input: latents [1, rows, columns, 4 * channels], packed as the transformer leaves them,
 * float32. Output: image [1, 3, height, width] in -1..1, float32.
 */
export async function decoderGraph(
  config: AutoencoderConfig,
  precision: Precision,
  weights: Weights,
): Promise<GraphBuilder> {
  const [width = 0] = config.decoder_block_out_channels;
  weights.expectShapes({ 'decoder.layers.0.weight': [width, config.latent_channels, 3, 3] });
  const graph = new GraphBuilder('decoder', precision);
  const layers = new Layers(graph, weights);
  const packed = 4 * config.latent_channels;
  const latents = graph.input('latents', 'float32', [1, 'rows', 'columns', packed]);

  graph.within('unpack');
  let x = graph.op('Transpose', [latents], { perm: [0, 3, 1, 2] });
  x = graph.op('DepthToSpace', [x], { blocksize: 2, mode: 'CRD' });
  if (precision === 'float16') x = graph.cast(x, 'float16');
  x = affine(layers, x, 1 / config.scaling_factor, config.shift_factor);
  x = graph.op('Tanh', [affine(layers, x, 1 / MAGNITUDE, 0)]);
  x = affine(layers, x, MAGNITUDE, 0);

  x = await sequence(layers, config, x);
  graph.within('output');
  // From 0..1 to -1..1, as diffusers has it.
  x = affine(layers, x, 2, -1);
  if (precision === 'float16') x = graph.cast(x, 'float32');
  graph.output('image', 'float32', [1, config.out_channels, 'height', 'width'], x);
  return graph;
}

/** diffusers' DecoderTiny.layers; `index` counts as its nn.Sequential does. */
async function sequence(layers: Layers, config: AutoencoderConfig, x: Value): Promise<Value> {
  const { graph } = layers;
  let index = 0;
  const next = (): string => `decoder.layers.${index++}`;
  x = graph.op('Relu', [await convolution(layers, x, next())]);
  index++;
  const stages = config.num_decoder_blocks;
  for (const [stage, blocks] of stages.entries()) {
    for (let i = 0; i < blocks; i++) x = await residualBlock(layers, x, next());
    if (stage < stages.length - 1) x = upsample(layers, x, next());
    x = await convolution(layers, x, next());
  }
  return x;
}

/** AutoencoderTinyBlock with as many channels out as in. */
async function residualBlock(layers: Layers, x: Value, module: string): Promise<Value> {
  const { graph } = layers;
  let y = graph.op('Relu', [await convolution(layers, x, `${module}.conv.0`)]);
  y = graph.op('Relu', [await convolution(layers, y, `${module}.conv.2`)]);
  y = await convolution(layers, y, `${module}.conv.4`);
  return graph.op('Relu', [graph.op('Add', [y, x])]);
}

/** 3x3, padded to keep its size. */
async function convolution(layers: Layers, x: Value, module: string): Promise<Value> {
  const inputs = [x, await layers.vector(`${module}.weight`)];
  if (layers.weights.has(`${module}.bias`)) inputs.push(await layers.vector(`${module}.bias`));
  layers.graph.within(module);
  return layers.graph.op('Conv', inputs, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
}

/** Twice the size, each pixel repeated. */
function upsample({ graph }: Layers, x: Value, module: string): Value {
  graph.within(module);
  const scales = graph.floats('upsampling', [4], [1, 1, 2, 2], 'float32');
  return graph.op('Resize', [x, '', scales], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
}

function affine({ graph }: Layers, x: Value, factor: number, offset: number): Value {
  if (factor !== 1) x = graph.op('Mul', [x, graph.scalar(factor)]);
  return offset === 0 ? x : graph.op('Add', [x, graph.scalar(offset)]);
}
