/** transformers' T5EncoderModel without a padding mask, as FLUX uses it. */
import { GraphBuilder, real, type Value } from '../builder.ts';
import type { T5Config } from '../configs.ts';
import { Layers } from '../layers.ts';
import type { Weights } from '../weights.ts';

/**
 * Input: input_ids int32 [1, T]. Output: text [1, T, width], float32.
 * Always float32: T5's feed-forward exceeds half precision, and it runs once per prompt.
 */
export async function t5Graph(
  config: T5Config,
  tokens: number,
  weights: Weights,
): Promise<GraphBuilder> {
  const table = weights.has('shared.weight') ? 'shared.weight' : 'encoder.embed_tokens.weight';
  const attention = 'encoder.block.0.layer.0.SelfAttention';
  weights.expectShapes({
    [table]: [config.vocab_size, config.d_model],
    [`${attention}.q.weight`]: [config.num_heads * config.d_kv, config.d_model],
    [`${attention}.relative_attention_bias.weight`]: [
      config.relative_attention_num_buckets,
      config.num_heads,
    ],
    'encoder.block.0.layer.1.DenseReluDense.wi_0.weight': [config.d_ff, config.d_model],
  });
  const graph = new GraphBuilder('t5', 'float32');
  const layers = new Layers(graph, weights);
  const ids = graph.input('input_ids', 'int32', [1, tokens]);
  const embeddings = await layers.vector(table);
  graph.within('embed_tokens');
  let x = graph.op('Gather', [embeddings, ids], { axis: 0 });

  const bias = graph.weight(
    await weights.derived(
      'relative attention bias',
      [1, config.num_heads, tokens, tokens],
      'float32',
      () => relativeBias(config, tokens, weights),
    ),
  );
  for (let i = 0; i < config.num_layers; i++) {
    x = await t5Block(layers, config, x, bias, `encoder.block.${i}`);
  }
  x = await layers.rmsNorm(x, 'encoder.final_layer_norm', config.layer_norm_epsilon);
  graph.output('text', 'float32', [1, tokens, config.d_model], x);
  return graph;
}

async function t5Block(
  layers: Layers,
  config: T5Config,
  x: Value,
  bias: Value,
  module: string,
): Promise<Value> {
  const { graph } = layers;
  const attention = `${module}.layer.0.SelfAttention`;
  const feedForward = `${module}.layer.1.DenseReluDense`;
  const epsilon = config.layer_norm_epsilon;

  let normed = await layers.rmsNorm(x, `${module}.layer.0.layer_norm`, epsilon);
  const query = await layers.linear(normed, `${attention}.q`);
  const key = await layers.linear(normed, `${attention}.k`);
  const value = await layers.linear(normed, `${attention}.v`);
  graph.within(attention);
  // T5 does not scale its scores.
  const attended = graph.op('MultiHeadAttention', [query, key, value, '', '', bias], {
    num_heads: config.num_heads,
    scale: real(1),
  });
  x = graph.op('Add', [x, await layers.linear(attended, `${attention}.o`)]);

  normed = await layers.rmsNorm(x, `${module}.layer.1.layer_norm`, epsilon);
  const gate = graph.op('FastGelu', [await layers.linear(normed, `${feedForward}.wi_0`)]);
  const wide = graph.op('Mul', [gate, await layers.linear(normed, `${feedForward}.wi_1`)]);
  return graph.op('Add', [x, await layers.linear(wide, `${feedForward}.wo`)]);
}

/** What block 0 learnt and every block adds to its scores: [heads, query token, key token]. */
async function relativeBias(
  config: T5Config,
  tokens: number,
  weights: Weights,
): Promise<Float32Array> {
  const { num_heads: heads } = config;
  const table = await weights.values(
    'encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight',
  );
  const bias = new Float32Array(heads * tokens * tokens);
  for (let head = 0, i = 0; head < heads; head++) {
    for (let query = 0; query < tokens; query++) {
      for (let key = 0; key < tokens; key++, i++) {
        bias[i] = table[relativeBucket(key - query, config) * heads + head]!;
      }
    }
  }
  return bias;
}

/**
 * T5's bucket of a distance in tokens: half of the buckets for each direction; of those, half
 * for exact small distances and the rest growing logarithmically up to the largest distance.
 */
export function relativeBucket(
  distance: number,
  config: Pick<T5Config, 'relative_attention_num_buckets' | 'relative_attention_max_distance'>,
): number {
  const half = Math.floor(config.relative_attention_num_buckets / 2);
  const exact = Math.floor(half / 2);
  const start = distance > 0 ? half : 0;
  const length = Math.abs(distance);
  if (length < exact) return start + length;
  // In float32, as transformers does: distances that are powers of two sit on a boundary.
  const ratio = Math.fround(
    Math.fround(Math.log(length / exact)) /
      Math.log(config.relative_attention_max_distance / exact),
  );
  const step = Math.trunc(Math.fround(ratio * (half - exact)));
  return start + Math.min(exact + step, half - 1);
}
