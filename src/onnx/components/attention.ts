/** Attention of a FLUX block: heads normed on their own, rotary positions, no mask. */
import type { Value } from '../builder.ts';
import type { Layers } from '../layers.ts';
import { EPSILON } from './modulation.ts';

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
  return graph.op('MultiHeadAttention', [rotate(query), rotate(key), value], { num_heads: heads });
}
