/** Opens a user's FLUX.1 checkpoint in any of its usual layouts. */
import { checkBlocks } from './block-counts.ts';
import { readConfig, readConfigs, schemas } from './configs.ts';
import { readDescription } from './description.ts';
import type { Source } from '../files.ts';
import { checkClasses } from './layouts/class-names.ts';
import { configurationFiles, PREVIEWER_CONFIG, takesGuidance } from './layouts/configuration.ts';
import { modelFolder } from './layouts/listing.ts';
import { findParts, type Parts } from './layouts/parts.ts';
import type { ModelParts } from './model-parts.ts';
import type { TensorSource } from './tensors.ts';
import { readClipTokenizer, readT5Tokenizer } from '../tokenizers/index.ts';
import { readVocabularyFile } from './vocabulary.ts';

/**
 * Reads headers and configuration only. The layouts: a diffusers folder; single files as Black
 * Forest Labs and ComfyUI have them, known by what is in them; both beside each other, where the
 * folder goes first; one file with everything.
 *
 * @throws AppError `not-found` that says what is missing, `bad-checkpoint` that names the file and
 * the field or the tensor.
 */
export async function openModel(source: Source): Promise<ModelParts> {
  const folder = await modelFolder(source);
  const notes = await checkClasses(folder);
  const parts = await findParts(folder);
  const files = await configurationFiles(folder, parts);
  const configs = await readConfigs(files);
  checkBlocks(parts, configs);
  const tokenizerFiles = [...folder.files];
  const vocabulary = await readVocabularyFile(folder.source);
  return {
    configs,
    description: await readDescription(folder.source, {
      title: parts.transformer.title,
      guidance: takesGuidance(parts),
    }),
    transformer: parts.transformer.tensors,
    t5: parts.t5.tensors,
    clip: parts.clip.tensors,
    autoencoder: parts.autoencoder.tensors,
    checkpoints: checkpointsOf(parts),
    notes: [...notes, ...unusedFiles(parts)],
    ...(parts.previewer && {
      previewer: {
        config: await readConfig(files, PREVIEWER_CONFIG, schemas.autoencoderTiny),
        tensors: parts.previewer.tensors,
      },
    }),
    tokenizers: {
      t5: await readT5Tokenizer(folder.source, tokenizerFiles),
      clip: await readClipTokenizer(folder.source, tokenizerFiles),
    },
    ...(vocabulary !== undefined && { vocabulary }),
  };
}

function checkpointsOf({ transformer, t5, clip, autoencoder, previewer }: Parts): TensorSource[] {
  const parts = [transformer, t5, clip, autoencoder, ...(previewer ? [previewer] : [])];
  return [...new Set(parts.map(({ checkpoint }) => checkpoint))];
}

function unusedFiles({ unusedFiles: files }: Parts): string[] {
  return files.length === 0 ? [] : [`Not used: ${files.join(', ')}.`];
}
