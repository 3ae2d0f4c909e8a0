/** Latents between the transformer's packing, scale and shift, and the autoencoder's own. */
import type { Value } from '../builder.ts';
import type { AutoencoderConfig } from '../../checkpoint/autoencoder-config.ts';
import type { Layers } from '../layers.ts';

/** [1, rows, columns, 4 * channels], float32, to [1, channels, 2 * rows, 2 * columns] in the graph's precision. */
export function unpackLatents(
  layers: Layers,
  latents: Value,
  { scaling_factor: scaling, shift_factor: shift }: AutoencoderConfig,
): Value {
  const { graph } = layers;
  graph.within('unpack');
  let x = graph.op('Transpose', [latents], { perm: [0, 3, 1, 2] });
  x = graph.op('DepthToSpace', [x], { blocksize: 2, mode: 'CRD' });
  if (graph.precision === 'float16') x = graph.cast(x, 'float16');
  return affine(layers, x, 1 / scaling, shift);
}

/** The way back: (x - shift) * scaling, in float32. */
export function packLatents(layers: Layers, x: Value, config: AutoencoderConfig): Value {
  const { graph } = layers;
  const { latent_channels: channels, scaling_factor: scaling, shift_factor: shift } = config;
  graph.within('pack');
  if (graph.precision === 'float16') x = graph.cast(x, 'float32');
  // A convolution that takes each patch of 2 x 2 apart: WebGPU has no SpaceToDepth of this order.
  const packed = 4 * channels;
  const kernel = Array.from({ length: packed * 4 }, (_, i) =>
    Math.floor(i / 4) % 4 === i % 4 ? scaling : 0,
  );
  const offsets = Array.from({ length: packed }, () => -shift * scaling);
  x = graph.op(
    'Conv',
    [
      x,
      graph.floats('packing', [packed, 1, 2, 2], kernel, 'float32'),
      graph.floats('packing offset', [packed], offsets, 'float32'),
    ],
    { kernel_shape: [2, 2], strides: [2, 2], group: channels },
  );
  return graph.op('Transpose', [x], { perm: [0, 2, 3, 1] });
}

/** x * factor + offset */
export function affine({ graph }: Layers, x: Value, factor: number, offset: number): Value {
  if (factor !== 1) x = graph.op('Mul', [x, graph.scalar(factor)]);
  return offset === 0 ? x : graph.op('Add', [x, graph.scalar(offset)]);
}
