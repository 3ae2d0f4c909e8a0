/** transformers' T5EncoderModel without a padding mask, as FLUX uses it, in one segment or several. */
import { GraphBuilder, real, type StoredTensor, type Value } from '../builder.ts';
import type { T5Config } from '../../checkpoint/configs.ts';
import { Layers } from '../layers.ts';
import { wholeT5, type Blocks } from '../segments.ts';
import type { Weights } from '../../quantize/weights.ts';

const BLOCK_0 = 'encoder.block.0.layer.0.SelfAttention';

/**
 * Input: input_ids int32 [1, T]. Output: text [1, T, width], float32.
 * Always float32: T5's feed-forward exceeds half precision, and it runs once per prompt.
 *
 * Of several segments only the first has that input and only the last that output; they hand on
 * `text_hidden_i` [1, T, width], float32, in front of block i. Every segment reads the relative
 * attention bias, which `biasWeights` stores once for all of them.
 */
export async function t5Graph(
  config: T5Config,
  tokens: number,
  weights: Weights,
  biasWeights: Weights = weights,
  blocks: Blocks = wholeT5(config),
): Promise<GraphBuilder> {
  const { d_model: width, num_layers: count } = config;
  const graph = new GraphBuilder('t5', 'float32');
  const layers = new Layers(graph, weights);
  const shape = [1, tokens, width];
  let x =
    blocks.from === 0
      ? await embed(layers, config, tokens)
      : graph.input(`text_hidden_${blocks.from}`, 'float32', shape);
  weights.expectShapes({
    [`encoder.block.${blocks.from}.layer.1.DenseReluDense.wi_0.weight`]: [config.d_ff, width],
  });

  const stored = await storedBias(config, tokens, biasWeights);
  const bias = graph.weight(stored);
  for (let i = blocks.from; i < blocks.to; i++) {
    x = await t5Block(layers, config, x, bias, `encoder.block.${i}`);
  }
  if (blocks.to < count) {
    graph.output(`text_hidden_${blocks.to}`, 'float32', shape, x);
    return graph;
  }
  x = await layers.rmsNorm(x, 'encoder.final_layer_norm', config.layer_norm_epsilon);
  graph.output('text', 'float32', shape, x);
  return graph;
}

async function embed(layers: Layers, config: T5Config, tokens: number): Promise<Value> {
  const { graph, weights } = layers;
  const table = weights.has('shared.weight') ? 'shared.weight' : 'encoder.embed_tokens.weight';
  weights.expectShapes({
    [table]: [config.vocab_size, config.d_model],
    [`${BLOCK_0}.q.weight`]: [config.num_heads * config.d_kv, config.d_model],
  });
  const ids = graph.input('input_ids', 'int32', [1, tokens]);
  const embeddings = await layers.vector(table);
  graph.within('embed_tokens');
  return graph.op('Gather', [embeddings, ids], { axis: 0 });
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

/** What block 0 learnt and every block adds to its scores: [1, heads, query token, key token]. */
function storedBias(config: T5Config, tokens: number, weights: Weights): Promise<StoredTensor> {
  const { num_heads: heads, relative_attention_num_buckets: buckets } = config;
  const table = `${BLOCK_0}.relative_attention_bias.weight`;
  weights.expectShapes({ [table]: [buckets, heads] });
  const shape = [1, heads, tokens, tokens];
  return weights.derived('relative attention bias', shape, 'float32', async () =>
    relativeBias(config, tokens, await weights.values(table)),
  );
}

function relativeBias(config: T5Config, tokens: number, table: Float32Array): Float32Array {
  const { num_heads: heads } = config;
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
