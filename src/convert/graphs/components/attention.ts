/** Attention of a FLUX block: heads normed on their own, rotary positions, no mask. */
import type { Value } from '../builder.ts';
import type { Layers } from '../layers.ts';
import { EPSILON } from './modulation.ts';

/**
 * In how many parts the queries of a float32 graph attend, one after another. On the CPU
 * MultiHeadAttention holds all scores of its queries, 4 bytes times heads, queries and tokens: 2 GB
 * for FLUX.1 and a picture of 1024 x 1024, which are 255 MB here. It also counts twice the head's
 * width times queries and tokens in wasm's 32 bits, which is too much from 2900 tokens on and with
 * so many parts from 8192 on.
 */
const QUERY_PARTS = 8;

/** Models with fewer heads, FLUX.1 has 24, make small pictures, for which parts would only be slower. */
const MANY_HEADS = 16;

/** cos and sin of the rotary angles, [tokens, headWidth / 2], in the graph's precision. */
export interface Rotary {
  readonly cos: Value;
  readonly sin: Value;
}

export interface Projected {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** The modules of one stream's projections; text and image have their own in double blocks. */
export interface ProjectionNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly queryNorm: string;
  readonly keyNorm: string;
}

/** Query and key (normed per head) and value of [1, tokens, hidden]. */
export async function project(
  layers: Layers,
  x: Value,
  names: ProjectionNames,
  heads: number,
): Promise<Projected> {
  const query = await layers.linear(x, names.query);
  const key = await layers.linear(x, names.key);
  return {
    query: await layers.headNorm(query, names.queryNorm, heads, EPSILON),
    key: await layers.headNorm(key, names.keyNorm, heads, EPSILON),
    value: await layers.linear(x, names.value),
  };
}

/** [1, tokens, hidden], before the output projection. */
export function attend(
  { graph }: Layers,
  { query, key, value }: Projected,
  rotary: Rotary,
  heads: number,
  module: string,
): Value {
  graph.within(module);
  const rotate = (x: Value): Value =>
    graph.op('RotaryEmbedding', [x, graph.integers([0]), rotary.cos, rotary.sin], {
      interleaved: 1,
      num_heads: heads,
    });
  const keys = rotate(key);
  const attendWith = (queries: Value): Value =>
    graph.op('MultiHeadAttention', [queries, keys, value], { num_heads: heads });
  if (graph.precision === 'float16' || heads < MANY_HEADS) return attendWith(rotate(query));
  const parts = graph.ops('Split', [rotate(query)], QUERY_PARTS, {
    axis: 1,
    num_outputs: QUERY_PARTS,
  });
  return graph.op('Concat', parts.map(attendWith), { axis: 1 });
}
