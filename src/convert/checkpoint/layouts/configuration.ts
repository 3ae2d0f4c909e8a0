/** The configuration of a pipeline folder, complete: what files do not say is inferred. */
import { readText } from '../../files.ts';
import type { ModelFolder } from './listing.ts';
import type { Parts } from './parts.ts';
import { TextFiles } from './texts.ts';

/** The longest prompts that FLUX.1-dev, FLUX.1-schnell and CLIP were trained on, in tokens. */
const T5_TOKENS = { guided: 512, distilled: 256 };
const CLIP_TOKENS = 77;
/** What some tokenizers state that have no limit is far larger. */
const MOST_TOKENS = 4096;

/** Schedulers of FLUX.1-dev and FLUX.1-schnell. */
const SCHEDULERS = {
  guided: {
    shift: 3,
    use_dynamic_shifting: true,
    base_shift: 0.5,
    max_shift: 1.15,
    base_image_seq_len: 256,
    max_image_seq_len: 4096,
  },
  distilled: { shift: 1, use_dynamic_shifting: false },
};

export const PREVIEWER_CONFIG = 'vae_preview/config.json';

/** Whether the transformer takes a guidance scale, as FLUX.1-dev does and FLUX.1-schnell does not. */
export function takesGuidance({ transformer }: Parts): boolean {
  return transformer.tensors.has('time_text_embed.guidance_embedder.linear_1.weight');
}

/** The files that `readConfigs` reads. */
export async function configurationFiles(folder: ModelFolder, parts: Parts): Promise<TextFiles> {
  const kind = takesGuidance(parts) ? 'guided' : 'distilled';
  const texts = new TextFiles();
  texts.add('transformer/config.json', parts.transformer.config);
  texts.add('text_encoder_2/config.json', parts.t5.config);
  texts.add('text_encoder/config.json', parts.clip.config);
  texts.add('vae/config.json', parts.autoencoder.config);
  if (parts.previewer) texts.add(PREVIEWER_CONFIG, parts.previewer.config);
  const scheduler = 'scheduler/scheduler_config.json';
  const inferred = { _class_name: 'FlowMatchEulerDiscreteScheduler', ...SCHEDULERS[kind] };
  texts.add(
    scheduler,
    folder.files.has(scheduler)
      ? await readText(folder.source, scheduler)
      : JSON.stringify(inferred),
  );
  await addTokens(texts, folder, 'tokenizer_2', T5_TOKENS[kind]);
  await addTokens(texts, folder, 'tokenizer', CLIP_TOKENS);
  return texts;
}

/** A file of the folder that says no usable length counts as one that is not there. */
async function addTokens(
  texts: TextFiles,
  { source, files }: ModelFolder,
  folder: string,
  usual: number,
): Promise<void> {
  const path = `${folder}/tokenizer_config.json`;
  const text = files.has(path) ? await readText(source, path) : '{}';
  const stated = lengthIn(text);
  const known = stated !== undefined && stated <= MOST_TOKENS;
  texts.add(path, known ? text : JSON.stringify({ model_max_length: usual }));
}

function lengthIn(text: string): number | undefined {
  try {
    const { model_max_length: length } = JSON.parse(text) as Record<string, unknown>;
    return typeof length === 'number' ? length : undefined;
  } catch {
    return undefined;
  }
}
