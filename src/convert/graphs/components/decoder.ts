/** The autoencoder's decoder: latents to a picture. */
import type { AutoencoderConfig } from '../../checkpoint/autoencoder-config.ts';
import { GraphBuilder, type Precision } from '../builder.ts';
import { Layers } from '../layers.ts';
import type { Weights } from '../../quantize/weights.ts';
import { decodeKl } from './autoencoder-kl.ts';
import { decodeTiny } from './autoencoder-tiny.ts';
import { unpackLatents } from './latents.ts';

/**
 * Input: latents [1, rows, columns, 4 * channels], packed as the transformer leaves them,
 * float32. Output: image [1, 3, height, width] in -1..1, float32.
 */
export async function decoderGraph(
  config: AutoencoderConfig,
  precision: Precision,
  weights: Weights,
): Promise<GraphBuilder> {
  const graph = new GraphBuilder('decoder', precision);
  const layers = new Layers(graph, weights);
  const packed = 4 * config.latent_channels;
  const latents = graph.input('latents', 'float32', [1, 'rows', 'columns', packed]);
  let x = unpackLatents(layers, latents, config);
  x =
    config._class_name === 'AutoencoderTiny'
      ? await decodeTiny(layers, config, x)
      : await decodeKl(layers, config, x);
  if (precision === 'float16') x = graph.cast(x, 'float32');
  graph.output('image', 'float32', [1, config.out_channels, 'height', 'width'], x);
  return graph;
}
