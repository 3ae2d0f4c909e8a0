/** transformers' CLIPTextModel up to its pooled vector. */
import { GraphBuilder, type Value } from '../builder.ts';
import type { ClipConfig } from '../../checkpoint/configs.ts';
import { Layers } from '../layers.ts';
import type { Weights } from '../../quantize/weights.ts';

/** Added to the scores of later tokens: exp() of it is 0, and it fits half precision. */
const MASKED = -30_000;

/**
 * Inputs: input_ids int32 [1, C]; end int32 [1], where the pooled vector is taken.
 * Output: pooled [1, width], float32. Always float32: it runs once per prompt.
 */
export async function clipGraph(
  config: ClipConfig,
  tokens: number,
  weights: Weights,
): Promise<GraphBuilder> {
  const width = config.hidden_size;
  const epsilon = config.layer_norm_eps;
  weights.expectShapes({
    'embeddings.token_embedding.weight': [config.vocab_size, width],
    'embeddings.position_embedding.weight': [config.max_position_embeddings, width],
    'encoder.layers.0.mlp.fc1.weight': [config.intermediate_size, width],
  });
  const graph = new GraphBuilder('clip', 'float32');
  const layers = new Layers(graph, weights);
  const ids = graph.input('input_ids', 'int32', [1, tokens]);
  const end = graph.input('end', 'int32', [1]);

  const words = await layers.vector('embeddings.token_embedding.weight');
  const positions = await layers.vector('embeddings.position_embedding.weight');
  graph.within('embeddings');
  let x = graph.op('Add', [
    graph.op('Gather', [words, ids], { axis: 0 }),
    layers.slice(positions, 0, 0, tokens),
  ]);
  const mask = causalMask(layers, config.num_attention_heads, tokens);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    x = await clipLayer(layers, config, x, mask, `encoder.layers.${i}`);
  }
  graph.within('pooled');
  const taken = graph.op('Gather', [x, end], { axis: 1 });
  const normed = await layers.layerNorm(taken, 'final_layer_norm', epsilon);
  const pooled = graph.op('Reshape', [normed, graph.integers([1, width])]);
  graph.output('pooled', 'float32', [1, width], pooled);
  return graph;
}

async function clipLayer(
  layers: Layers,
  config: ClipConfig,
  x: Value,
  mask: Value,
  module: string,
): Promise<Value> {
  const { graph } = layers;
  const attention = `${module}.self_attn`;
  const epsilon = config.layer_norm_eps;

  let normed = await layers.layerNorm(x, `${module}.layer_norm1`, epsilon);
  const query = await layers.linear(normed, `${attention}.q_proj`);
  const key = await layers.linear(normed, `${attention}.k_proj`);
  const value = await layers.linear(normed, `${attention}.v_proj`);
  graph.within(attention);
  const attended = graph.op('MultiHeadAttention', [query, key, value, '', '', mask], {
    num_heads: config.num_attention_heads,
  });
  x = graph.op('Add', [x, await layers.linear(attended, `${attention}.out_proj`)]);

  normed = await layers.layerNorm(x, `${module}.layer_norm2`, epsilon);
  const wide = await layers.linear(normed, `${module}.mlp.fc1`);
  const active = graph.op(config.hidden_act === 'gelu' ? 'Gelu' : 'QuickGelu', [wide]);
  return graph.op('Add', [x, await layers.linear(active, `${module}.mlp.fc2`)]);
}

/** [1, heads, tokens, tokens]: a token sees itself and earlier ones. */
function causalMask({ graph }: Layers, heads: number, tokens: number): Value {
  const one = Array.from({ length: tokens * tokens }, (_, i) =>
    i % tokens > Math.floor(i / tokens) ? MASKED : 0,
  );
  const mask = Array.from({ length: heads }, () => one).flat();
  return graph.floats('causal mask', [1, heads, tokens, tokens], mask);
}
