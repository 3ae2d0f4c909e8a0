/** diffusers' CombinedTimestepTextProjEmbeddings: what all modulations are computed from. */
import type { Value } from '../builder.ts';
import type { Layers } from '../layers.ts';

/** Width of the sinusoid: Timesteps(256, flip_sin_to_cos=True, downscale_freq_shift=0). */
const SINUSOID = 256;
const LONGEST_PERIOD = 10_000;

/**
 * silu(embedding) [1, hidden] of flow time `timestep` [1] and `pooled` [1, pooledWidth], both
 * float32. Every reader of the embedding applies SiLU first, so it is applied here, once.
 */
export async function conditioning(layers: Layers, timestep: Value, pooled: Value): Promise<Value> {
  const { graph } = layers;
  let sinusoid = timeSinusoid(layers, timestep);
  if (graph.precision === 'float16') {
    sinusoid = graph.cast(sinusoid, 'float16');
    pooled = graph.cast(pooled, 'float16');
  }
  const time = await twoLinears(layers, sinusoid, 'time_text_embed.timestep_embedder');
  const text = await twoLinears(layers, pooled, 'time_text_embed.text_embedder');
  graph.within('time_text_embed');
  return layers.silu(graph.op('Add', [time, text]));
}

/** [cos, sin] of 1000 * timestep at 128 frequencies, always in float32: the angles are large. */
function timeSinusoid({ graph }: Layers, timestep: Value): Value {
  const half = SINUSOID / 2;
  // Rounded at each step as float32 arithmetic does.
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(-Math.log(LONGEST_PERIOD) * i) / half)),
  );
  graph.within('time_text_embed/time_proj');
  const scaled = graph.op('Mul', [timestep, graph.floats('time scale', [1], [1000], 'float32')]);
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
