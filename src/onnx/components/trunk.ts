/** FLUX from the embedders to the last block: latents to features. */
import { GraphBuilder, type Precision } from '../builder.ts';
import type { FluxConfig } from '../configs.ts';
import { Layers } from '../layers.ts';
import type { Weights } from '../weights.ts';
import { conditioning } from './conditioning.ts';
import { doubleBlock } from './double-block.ts';
import { singleBlock } from './single-block.ts';

/**
 * Inputs, float32: latents [1, N, 64], text [1, T, textWidth], pooled [1, pooledWidth],
 * timestep [1] (0..1), rotary_cos and rotary_sin [T + N, headWidth / 2], text tokens first.
 * Output in the graph's precision: features [1, N, hidden], the image tokens' hidden state
 * before `norm_out`. T is `textTokens`; N is known at run time.
 */
export async function trunkGraph(
  config: FluxConfig,
  textTokens: number,
  precision: Precision,
  weights: Weights,
  conditioningWeights: Weights,
): Promise<GraphBuilder> {
  const heads = config.num_attention_heads;
  const hidden = heads * config.attention_head_dim;
  const lastDouble = `transformer_blocks.${config.num_layers - 1}.attn`;
  const lastSingle = `single_transformer_blocks.${config.num_single_layers - 1}.attn`;
  weights.expectShapes({
    'x_embedder.weight': [hidden, config.in_channels],
    'context_embedder.weight': [hidden, config.joint_attention_dim],
    [`${lastDouble}.to_q.weight`]: [hidden, hidden],
    [`${lastDouble}.norm_q.weight`]: [config.attention_head_dim],
    [`${lastSingle}.to_q.weight`]: [hidden, hidden],
    'time_text_embed.text_embedder.linear_1.weight': [hidden, config.pooled_projection_dim],
  });
  const graph = new GraphBuilder('trunk', precision);
  const layers = new Layers(graph, weights);

  const latents = graph.input('latents', 'float32', [1, 'N', config.in_channels]);
  const text = graph.input('text', 'float32', [1, textTokens, config.joint_attention_dim]);
  const pooled = graph.input('pooled', 'float32', [1, config.pooled_projection_dim]);
  const timestep = graph.input('timestep', 'float32', [1]);
  const half = config.attention_head_dim / 2;
  const cos = graph.input('rotary_cos', 'float32', ['T+N', half]);
  const sin = graph.input('rotary_sin', 'float32', ['T+N', half]);

  graph.within('inputs');
  const convert = (x: string): string => (precision === 'float32' ? x : graph.cast(x, precision));
  const rotary = { cos: convert(cos), sin: convert(sin) };
  const condition = await conditioning(new Layers(graph, conditioningWeights), timestep, pooled);

  let streams = {
    image: await layers.linear(convert(latents), 'x_embedder'),
    text: await layers.linear(convert(text), 'context_embedder'),
  };
  for (let i = 0; i < config.num_layers; i++) {
    const module = `transformer_blocks.${i}`;
    const size = { heads, textTokens };
    streams = await doubleBlock(layers, streams, condition, rotary, size, module);
  }
  let x = graph.op('Concat', [streams.text, streams.image], { axis: 1 });
  for (let i = 0; i < config.num_single_layers; i++) {
    const module = `single_transformer_blocks.${i}`;
    x = await singleBlock(layers, x, condition, rotary, heads, module);
  }
  graph.within('outputs');
  const features = layers.slice(x, 1, textTokens, Number.MAX_SAFE_INTEGER);
  graph.output('features', precision, [1, 'N', hidden], features);
  return graph;
}
