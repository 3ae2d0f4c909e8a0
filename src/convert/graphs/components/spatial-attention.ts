/** Attention between all places of a picture, with one head: AutoencoderKL's, where it is smallest. */
import type { Value } from '../builder.ts';
import type { Layers } from '../layers.ts';
import { groupNorm, STREAM_SCALE } from './residual-block.ts';

/**
 * `x` [1, channels, h, w], h and w even, with what attention adds to it.
 *
 * Written out, since MultiHeadAttention on WebGPU takes 32 bytes times h * w squared for a head
 * of 512 channels: 8.6 GB for a picture of 1024 x 1024. Here a quarter of the queries is done at a time, 4 bytes
 * times h * w squared / 4: 256 MiB. Scores and weights are float32, as in diffusers: the weights
 * of thousands of places are below half precision.
 */
export async function spatialAttention(
  layers: Layers,
  x: Value,
  module: string,
  groups: number,
): Promise<Value> {
  const { graph, weights } = layers;
  const [channels = 0] = weights.shape(`${module}.group_norm.weight`);
  const half = graph.precision === 'float16';
  const normed = await groupNorm(layers, x, `${module}.group_norm`, groups);
  const places = graph.op('Transpose', [normed], { perm: [0, 2, 3, 1] });
  const project = async (name: string): Promise<Value> => {
    const projected = await layers.linear(places, `${module}.${name}`);
    return half ? graph.cast(projected, 'float32') : projected;
  };
  // [1, h, w, channels] keep their two axes, so that the result has them without computing sizes.
  const query = await project('to_q');
  const key = await project('to_k');
  const value = await project('to_v');

  graph.within(module);
  const scale = graph.floats('attention scale', [1], [channels ** -0.5], 'float32');
  const queries = graph.op('Mul', [query, scale]);
  const all = graph.integers([1, 1, -1, channels]);
  const keys = graph.op('Transpose', [graph.op('Reshape', [key, all])], { perm: [0, 1, 3, 2] });
  const values = graph.op('Reshape', [value, all]);
  const attend = (part: Value): Value => {
    const scores = graph.op('MatMul', [part, keys]);
    return graph.op('MatMul', [graph.op('Softmax', [scores], { axis: -1 }), values]);
  };
  const rows = halves(layers, queries, 1).map((upper) =>
    graph.op('Concat', halves(layers, upper, 2).map(attend), { axis: 2 }),
  );
  const attended = graph.op('Concat', rows, { axis: 1 });

  const output = half ? graph.cast(attended, 'float16') : attended;
  const added = await layers.linear(output, `${module}.to_out.0`);
  const scaled = graph.op('Mul', [added, graph.scalar(STREAM_SCALE)]);
  return graph.op('Add', [x, graph.op('Transpose', [scaled], { perm: [0, 3, 1, 2] })]);
}

const halves = ({ graph }: Layers, x: Value, axis: number): Value[] =>
  graph.ops('Split', [x], 2, { axis, num_outputs: 2 });
