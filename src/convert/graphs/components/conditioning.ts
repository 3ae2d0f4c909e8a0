/**
 * diffusers' CombinedTimestepTextProjEmbeddings, or CombinedTimestepGuidanceTextProjEmbeddings:
 * what all modulations are computed from.
 */
import type { GraphBuilder, Value } from '../builder.ts';
import type { FluxConfig } from '../../checkpoint/configs.ts';
import type { Layers } from '../layers.ts';

/** Width of the sinusoid: Timesteps(256, flip_sin_to_cos=True, downscale_freq_shift=0). */
export const SINUSOID = 256;
const LONGEST_PERIOD = 10_000;

export interface ConditioningInputs {
  readonly pooled: Value;
  readonly timestep: Value;
  readonly guidance: Value | undefined;
}

/**
 * Declares the inputs, all float32: pooled [1, pooledWidth], timestep [1], a flow time, and for a
 * transformer that takes it guidance [1], the scale as people set it, such as 3.5.
 */
export function conditioningInputs(graph: GraphBuilder, config: FluxConfig): ConditioningInputs {
  return {
    pooled: graph.input('pooled', 'float32', [1, config.pooled_projection_dim]),
    timestep: graph.input('timestep', 'float32', [1]),
    guidance: config.guidance_embeds ? graph.input('guidance', 'float32', [1]) : undefined,
  };
}

/** The shapes of the embedders' weights, for `Weights.expectShapes`. */
export function conditioningShapes(config: FluxConfig): Record<string, readonly number[]> {
  const hidden = config.num_attention_heads * config.attention_head_dim;
  const first = (embedder: string): string => `time_text_embed.${embedder}.linear_1.weight`;
  return {
    [first('text_embedder')]: [hidden, config.pooled_projection_dim],
    [first('timestep_embedder')]: [hidden, SINUSOID],
    ...(config.guidance_embeds ? { [first('guidance_embedder')]: [hidden, SINUSOID] } : {}),
  };
}

/**
 * silu(embedding) [1, hidden], in the graph's precision. Every reader of the embedding applies
 * SiLU first, so it is applied here, once.
 */
export async function conditioning(
  layers: Layers,
  { pooled, timestep, guidance }: ConditioningInputs,
): Promise<Value> {
  const { graph } = layers;
  const convert = (x: Value): Value =>
    graph.precision === 'float16' ? graph.cast(x, 'float16') : x;
  const sinusoid = convert(timeSinusoid(layers, timestep));
  const vector = convert(pooled);
  let time = await twoLinears(layers, sinusoid, 'time_text_embed.timestep_embedder');
  if (guidance !== undefined) {
    const scale = convert(timeSinusoid(layers, guidance));
    const guided = await twoLinears(layers, scale, 'time_text_embed.guidance_embedder');
    time = graph.op('Add', [time, guided]);
  }
  const text = await twoLinears(layers, vector, 'time_text_embed.text_embedder');
  graph.within('time_text_embed');
  return layers.silu(graph.op('Add', [time, text]));
}

/**
 * [cos, sin] of 1000 * value at 128 frequencies, always in float32: the angles are large. Guidance
 * goes through the same sinusoid as the flow time.
 */
function timeSinusoid({ graph }: Layers, value: Value): Value {
  const half = SINUSOID / 2;
  // Rounded at each step as float32 arithmetic does.
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(-Math.log(LONGEST_PERIOD) * i) / half)),
  );
  graph.within('time_text_embed/time_proj');
  const scaled = graph.op('Mul', [value, graph.floats('time scale', [1], [1000], 'float32')]);
  const angles = graph.op('Mul', [
    scaled,
    graph.floats('time frequencies', [1, half], frequencies, 'float32'),
  ]);
  const parts = [graph.op('Cos', [angles]), graph.op('Sin', [angles])];
  return graph.op('Concat', parts, { axis: 1 });
}

async function twoLinears(layers: Layers, x: Value, module: string): Promise<Value> {
  const hidden = layers.silu(await layers.linear(x, `${module}.linear_1`));
  return layers.linear(hidden, `${module}.linear_2`);
}
