/** FLUX from the embedders to the last block, latents to features, in one segment or several. */
import { GraphBuilder, type Dimension, type Precision, type Value } from '../builder.ts';
import type { FluxConfig } from '../../checkpoint/configs.ts';
import { Layers } from '../layers.ts';
import { wholeTrunk, type TrunkSegment } from '../segments.ts';
import type { Weights } from '../../quantize/weights.ts';
import type { Rotary } from './attention.ts';
import { conditioning, conditioningInputs, conditioningShapes } from './conditioning.ts';
import { doubleBlock, type Streams } from './double-block.ts';
import { singleBlock } from './single-block.ts';

/**
 * Inputs, float32: latents [1, N, 64], text [1, T, textWidth], those of the conditioning, and
 * rotary_cos and rotary_sin [T + N, headWidth / 2], text tokens first.
 * Output in the graph's precision: features [1, N, hidden], the image tokens' hidden state
 * before `norm_out`. T is `textTokens`; N is known at run time.
 *
 * Of several segments the first has these inputs, and the last this output. The first also gives
 * `conditioning` [1, hidden], and all but the last the hidden state: in front of double block i
 * `image_hidden_i` [1, N, hidden] and `text_hidden_i` [1, T, hidden], in front of single block i
 * `joined_hidden_i` [1, T + N, hidden], in the graph's precision. Later segments take these by
 * their names, and the rotary tables.
 */
export async function trunkGraph(
  config: FluxConfig,
  textTokens: number,
  precision: Precision,
  weights: Weights,
  conditioningWeights: Weights,
  segment: TrunkSegment = wholeTrunk(config),
): Promise<GraphBuilder> {
  const { double, single } = segment;
  const heads = config.num_attention_heads;
  const hidden = heads * config.attention_head_dim;
  weights.expectShapes(expectedShapes(config, segment));
  const graph = new GraphBuilder('trunk', precision);
  const layers = new Layers(graph, weights);

  const first = double.from === 0 && single.from === 0;
  const start = first
    ? await begin(layers, config, textTokens, conditioningWeights)
    : goOn(layers, config, textTokens, segment);
  const { condition, rotary } = start;
  let { streams, joined } = start;
  if (streams) {
    for (let i = double.from; i < double.to; i++) {
      const module = `transformer_blocks.${i}`;
      const size = { heads, textTokens };
      streams = await doubleBlock(layers, streams, condition, rotary, size, module);
    }
    if (double.to === config.num_layers) {
      joined = graph.op('Concat', [streams.text, streams.image], { axis: 1 });
    }
  }
  for (let i = single.from; i < single.to; i++) {
    const module = `single_transformer_blocks.${i}`;
    joined = await singleBlock(layers, joined!, condition, rotary, heads, module);
  }

  graph.within('outputs');
  const handOn = (name: string, tokens: Dimension, value: Value): void =>
    graph.output(name, precision, [1, tokens, hidden], value);
  if (joined !== undefined && single.to === config.num_single_layers) {
    const features = layers.slice(joined, 1, textTokens, Number.MAX_SAFE_INTEGER);
    handOn('features', 'N', features);
    return graph;
  }
  if (first) graph.output('conditioning', precision, [1, hidden], condition);
  if (joined !== undefined) {
    handOn(names.joined(single.to), 'T+N', joined);
  } else if (streams) {
    handOn(names.image(double.to), 'N', streams.image);
    handOn(names.text(double.to), textTokens, streams.text);
  }
  return graph;
}

/** What is handed on is named after the block that takes it: no two segments give the same name. */
const names = {
  image: (block: number) => `image_hidden_${block}`,
  text: (block: number) => `text_hidden_${block}`,
  joined: (block: number) => `joined_hidden_${block}`,
};

/** What a segment starts from: two streams before the double blocks' end, one sequence after it. */
interface Start {
  readonly condition: Value;
  readonly rotary: Rotary;
  readonly streams?: Streams;
  readonly joined?: Value;
}

async function begin(
  layers: Layers,
  config: FluxConfig,
  textTokens: number,
  conditioningWeights: Weights,
): Promise<Start> {
  const { graph } = layers;
  const latents = graph.input('latents', 'float32', [1, 'N', config.in_channels]);
  const text = graph.input('text', 'float32', [1, textTokens, config.joint_attention_dim]);
  const inputs = conditioningInputs(graph, config);
  const rotary = rotaryInputs(layers, config);
  conditioningWeights.expectShapes(conditioningShapes(config));
  const condition = await conditioning(new Layers(graph, conditioningWeights), inputs);
  const streams = {
    image: await layers.linear(converted(graph, latents), 'x_embedder'),
    text: await layers.linear(converted(graph, text), 'context_embedder'),
  };
  return { condition, rotary, streams };
}

function goOn(
  layers: Layers,
  config: FluxConfig,
  textTokens: number,
  { double, single }: TrunkSegment,
): Start {
  const { graph } = layers;
  const { precision } = graph;
  const hidden = config.num_attention_heads * config.attention_head_dim;
  const take = (name: string, tokens: Dimension): Value =>
    graph.input(name, precision, [1, tokens, hidden]);
  const condition = graph.input('conditioning', precision, [1, hidden]);
  if (double.from === config.num_layers) {
    const joined = take(names.joined(single.from), 'T+N');
    return { condition, joined, rotary: rotaryInputs(layers, config) };
  }
  const streams = {
    image: take(names.image(double.from), 'N'),
    text: take(names.text(double.from), textTokens),
  };
  return { condition, streams, rotary: rotaryInputs(layers, config) };
}

function rotaryInputs({ graph }: Layers, config: FluxConfig): Rotary {
  const half = config.attention_head_dim / 2;
  const cos = graph.input('rotary_cos', 'float32', ['T+N', half]);
  const sin = graph.input('rotary_sin', 'float32', ['T+N', half]);
  graph.within('inputs');
  return { cos: converted(graph, cos), sin: converted(graph, sin) };
}

/** A float32 input in the graph's precision. */
const converted = (graph: GraphBuilder, x: Value): Value =>
  graph.precision === 'float32' ? x : graph.cast(x, graph.precision);

/** Enough of the segment's weights to tell another model's from this one's. */
function expectedShapes(
  config: FluxConfig,
  { double, single }: TrunkSegment,
): Record<string, readonly number[]> {
  const hidden = config.num_attention_heads * config.attention_head_dim;
  const shapes: Record<string, readonly number[]> = {};
  if (double.from === 0 && single.from === 0) {
    shapes['x_embedder.weight'] = [hidden, config.in_channels];
    shapes['context_embedder.weight'] = [hidden, config.joint_attention_dim];
  }
  if (double.to > double.from) {
    const attn = `transformer_blocks.${double.to - 1}.attn`;
    shapes[`${attn}.to_q.weight`] = [hidden, hidden];
    shapes[`${attn}.norm_q.weight`] = [config.attention_head_dim];
  }
  if (single.to > single.from) {
    shapes[`single_transformer_blocks.${single.to - 1}.attn.to_q.weight`] = [hidden, hidden];
  }
  return shapes;
}
