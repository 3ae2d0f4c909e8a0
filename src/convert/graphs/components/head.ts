/** FLUX's `norm_out` and `proj_out`: features to velocity. */
import { GraphBuilder, type Precision } from '../builder.ts';
import type { FluxConfig } from '../../checkpoint/configs.ts';
import { Layers } from '../layers.ts';
import type { Weights } from '../../quantize/weights.ts';
import { conditioning, conditioningInputs, conditioningShapes } from './conditioning.ts';
import { modulatedNorm, modulation } from './modulation.ts';

/**
 * Inputs: features [1, N, hidden] in the graph's precision, and those of the conditioning.
 * Output: velocity [1, N, 64], float32.
 */
export async function headGraph(
  config: FluxConfig,
  precision: Precision,
  weights: Weights,
  conditioningWeights: Weights,
): Promise<GraphBuilder> {
  const hidden = config.num_attention_heads * config.attention_head_dim;
  weights.expectShapes({
    'norm_out.linear.weight': [2 * hidden, hidden],
    'proj_out.weight': [config.in_channels, hidden],
  });
  conditioningWeights.expectShapes(conditioningShapes(config));
  const graph = new GraphBuilder('head', precision);
  const layers = new Layers(graph, weights);
  const features = graph.input('features', precision, [1, 'N', hidden]);
  const inputs = conditioningInputs(graph, config);

  const condition = await conditioning(new Layers(graph, conditioningWeights), inputs);
  // AdaLayerNormContinuous has its scale before its shift, unlike the blocks.
  const chunks = await modulation(layers, condition, 'norm_out.linear', ['scale', 'shift']);
  const [onePlusScale, shift] = chunks as [string, string];
  const normed = modulatedNorm(layers, features, onePlusScale, shift);
  let velocity = await layers.linear(normed, 'proj_out');
  if (precision === 'float16') velocity = graph.cast(velocity, 'float32');
  graph.output('velocity', 'float32', [1, 'N', config.in_channels], velocity);
  return graph;
}
