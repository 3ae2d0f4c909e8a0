/** Tensors of a checkpoint that no graph takes: named, so that nothing is dropped in silence. */
import type { ModelParts } from './model-parts.ts';
import { originsOf, type TensorSource } from './tensors.ts';

export interface UnusedTensors {
  readonly file: string;
  readonly names: readonly string[];
}

/** Names that say nothing of the image: saved beside weights by habit, or for other uses. */
const HARMLESS: readonly RegExp[] = [
  // Numbers of positions, which older transformers saved.
  /(^|\.)position_ids$/,
  // CLIP's comparison of texts and images, and its half for images.
  /(^|\.)(logit_scale|text_projection|text_projection\.weight|visual_projection\.weight)$/,
  /(^|\.)(vision_model|visual)\./,
  // T5's decoder, and second copies of its word embeddings.
  /(^|\.)(lm_head|decoder\.(block\.\d+|final_layer_norm|embed_tokens))\./,
  /(^|\.)(encoder\.embed_tokens|shared)\.weight$/,
  // A tokenizer inside the weights, as ComfyUI keeps it.
  /(^|\.)spiece_model$/,
  // For 8-bit arithmetic.
  /(^|\.)(scaled_fp8|scale_input|input_scale|comfy_quant)$/,
  // The encoder of an AutoencoderTiny.
  /(^|\.)encoder\.layers\.\d+\.(weight|bias|conv\.\d\.(weight|bias))$/,
  // Averages and losses of a training, and the noise schedules of older samplers.
  /^(model_ema|loss)\./,
  /(^|\.)(\w*alphas_cumprod\w*|betas|posterior_\w+|denoiser\.sigmas)$/,
];

/** @param used names of tensors that graphs take, by the part they are of */
export function unusedTensors(
  { checkpoints = [] }: ModelParts,
  used: ReadonlyMap<TensorSource, ReadonlySet<string>>,
): UnusedTensors[] {
  const taken = new Map<string, Set<string>>();
  for (const [tensors, names] of used) {
    const origins = taken.get(tensors.where) ?? new Set<string>();
    taken.set(tensors.where, origins);
    for (const name of names) for (const origin of originsOf(tensors, name)) origins.add(origin);
  }
  return checkpoints.flatMap((checkpoint) => {
    const names = [...checkpoint.names()].filter(
      (name) =>
        !taken.get(checkpoint.where)?.has(name) && !HARMLESS.some((pattern) => pattern.test(name)),
    );
    return names.length === 0 ? [] : [{ file: checkpoint.where, names }];
  });
}

/** Named in a sentence; the report has all. */
const MOST_NAMES = 5;

/** `flux.safetensors: 2 tensors are not used (a, b).` */
export function describeUnused({ file, names }: UnusedTensors): string {
  const few = names.slice(0, MOST_NAMES).join(', ');
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  const count = names.length === 1 ? '1 tensor is' : `${names.length} tensors are`;
  return `${file}: ${count} not used (${few}${more}).`;
}
