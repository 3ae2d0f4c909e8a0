/**
 * AutoencoderKL's residual blocks.
 *
 * What flows from block to block may exceed half precision. Everything that reads it begins with
 * a group norm, to which its scale means nothing, so it is kept at an eighth of its size, in both
 * precisions: what is written into it is scaled down, and the norm's epsilon with it. A power of
 * two, so that nothing is rounded; a larger one would push small weights below half precision.
 */
import { real, type Value } from '../builder.ts';
import type { Layers } from '../layers.ts';
import { convolution } from './convolution.ts';

export const STREAM_SCALE = 1 / 8;

/** epsilon of every group norm. */
const EPSILON = 1e-6;

/** Factors of a convolution that reads a normed value and writes into the stream. */
export const INTO = { weight: STREAM_SCALE, bias: STREAM_SCALE } as const;

/** Factors of a convolution from the stream into the stream. */
export const ALONG = { weight: 1, bias: STREAM_SCALE } as const;

/** ResnetBlock2D without a time embedding. */
export async function residualBlock(
  layers: Layers,
  x: Value,
  module: string,
  groups: number,
): Promise<Value> {
  const { graph, weights } = layers;
  let y = layers.silu(await groupNorm(layers, x, `${module}.norm1`, groups));
  y = await convolution(layers, y, `${module}.conv1`, { factors: INTO });
  y = layers.silu(await groupNorm(layers, y, `${module}.norm2`, groups));
  y = await convolution(layers, y, `${module}.conv2`, { factors: INTO });
  if (weights.has(`${module}.conv_shortcut.weight`)) {
    x = await convolution(layers, x, `${module}.conv_shortcut`, { factors: ALONG });
  }
  return graph.op('Add', [x, y]);
}

/**
 * torch.nn.GroupNorm of the stream, [1, channels, h, w]. An instance norm takes each group as one
 * tall channel: ONNX Runtime has it on WebGPU, and computes mean and variance in float32 there.
 */
export async function groupNorm(
  layers: Layers,
  x: Value,
  module: string,
  groups: number,
): Promise<Value> {
  const { graph, weights } = layers;
  const [channels = 0] = weights.shape(`${module}.weight`);
  const scale = await layers.vector(`${module}.weight`);
  const bias = await layers.vector(`${module}.bias`);
  graph.within(module);
  const stacked = graph.op('Reshape', [x, graph.integers([0, groups, -1, 0])]);
  const ones = Array.from({ length: groups }, () => 1);
  const zeros = ones.map(() => 0);
  const normed = graph.op(
    'InstanceNormalization',
    [
      stacked,
      graph.floats('group scales', [groups], ones),
      graph.floats('group offsets', [groups], zeros),
    ],
    { epsilon: real(EPSILON * STREAM_SCALE ** 2) },
  );
  const apart = graph.op('Reshape', [normed, graph.integers([0, channels, -1, 0])]);
  const column = (vector: Value): Value =>
    graph.op('Reshape', [vector, graph.integers([channels, 1, 1])]);
  return graph.op('Add', [graph.op('Mul', [apart, column(scale)]), column(bias)]);
}
