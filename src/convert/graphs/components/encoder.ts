/** The autoencoder's encoder: a picture to latents. */
import type { AutoencoderConfig } from '../../checkpoint/autoencoder-config.ts';
import { GraphBuilder, type Precision } from '../builder.ts';
import { Layers } from '../layers.ts';
import type { Weights } from '../../quantize/weights.ts';
import { encodeKl } from './autoencoder-kl.ts';
import { encodeTiny } from './autoencoder-tiny.ts';
import { packLatents } from './latents.ts';

/**
 * Input: image [1, 3, height, width] in -1..1, float32; sides are multiples of two latents' pixels.
 * Output: latents [1, rows, columns, 4 * channels], packed and scaled as the transformer takes
 * them, float32: the mean, where the encoder gives a distribution.
 */
export async function encoderGraph(
  config: AutoencoderConfig,
  precision: Precision,
  weights: Weights,
): Promise<GraphBuilder> {
  const graph = new GraphBuilder('encoder', precision);
  const layers = new Layers(graph, weights);
  const image = graph.input('image', 'float32', [1, config.in_channels, 'height', 'width']);
  graph.within('input');
  let x = precision === 'float16' ? graph.cast(image, 'float16') : image;
  x =
    config._class_name === 'AutoencoderTiny'
      ? await encodeTiny(layers, config, x)
      : await encodeKl(layers, config, x);
  const packed = 4 * config.latent_channels;
  const latents = packLatents(layers, x, config);
  graph.output('latents', 'float32', [1, 'rows', 'columns', packed], latents);
  return graph;
}
