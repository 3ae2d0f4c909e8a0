/** Finds a model's parts: in the folders of a diffusers pipeline, else in any files beside them. */
import { AppError } from '../../errors.ts';
import { readText } from '../files.ts';
import { openFile, openIndex, type Checkpoint } from '../safetensors.ts';
import type { TensorSource } from '../tensors.ts';
import { FOLDERS, PREVIEW_FOLDERS, weightFiles, type PartFolder } from './folders.ts';
import type { ModelFolder } from './listing.ts';
import { partsIn, type FoundPart, type PartKind } from './recognise.ts';

export interface Part {
  readonly where: string;
  /** By the names that `ModelParts` says. */
  readonly tensors: TensorSource;
  /** Text of the config.json beside the tensors, or of what it would be. */
  readonly config: string;
  /** What the file calls the model, if it does. */
  readonly title?: string;
}

export interface Parts {
  readonly transformer: Part;
  readonly t5: Part;
  readonly clip: Part;
  /** AutoencoderKL, or else AutoencoderTiny. */
  readonly autoencoder: Part;
  /** AutoencoderTiny beside an AutoencoderKL. */
  readonly previewer?: Part;
}

type Found = Partial<Record<PartKind, Part>>;

const REQUIRED = ['transformer', 't5', 'clip', 'autoencoder'] as const;

/** A part in words, and what to add where it is missing. */
const WORDS: Readonly<Record<PartKind, readonly [words: string, toAdd: string]>> = {
  transformer: ['transformer', 'flux1-dev.safetensors or a folder transformer'],
  t5: ['T5 text encoder', 't5xxl_fp16.safetensors or a folder text_encoder_2'],
  clip: ['CLIP text encoder', 'clip_l.safetensors or a folder text_encoder'],
  autoencoder: ['autoencoder', 'ae.safetensors or a folder vae'],
  tiny: ['tiny autoencoder', 'a folder vae_preview'],
};

/** Files of tiny autoencoders have less; others need not be opened to look for one. */
const TINY_BYTES = 64 * 2 ** 20;

/** @throws AppError `not-found` that names all parts that are missing, `bad-checkpoint` */
export async function findParts(folder: ModelFolder): Promise<Parts> {
  const found: Found = {};
  const taken: string[] = [];
  for (const kind of REQUIRED) {
    const part = await partIn(
      folder,
      FOLDERS[kind],
      kind === 'autoencoder' ? [kind, 'tiny'] : [kind],
    );
    if (!part) continue;
    found[kind] = part;
    taken.push(`${FOLDERS[kind].folder}/`);
  }
  for (const place of PREVIEW_FOLDERS) {
    found.tiny ??= await partIn(folder, place, ['tiny']);
    taken.push(`${place.folder}/`);
  }
  const complete = REQUIRED.every((kind) => found[kind]);
  const loose = looseFiles(folder.files).filter((path) => !taken.some((f) => path.startsWith(f)));
  Object.assign(found, await partsOf(folder, loose, found, complete ? TINY_BYTES : Infinity));
  return checked(found);
}

async function partIn(
  { source, files }: ModelFolder,
  { folder, stem }: PartFolder,
  kinds: readonly PartKind[],
): Promise<Part | undefined> {
  const config = `${folder}/config.json`;
  const weights = weightFiles(folder, stem).find((path) => files.has(path));
  if (!files.has(config) || weights === undefined) return undefined;
  const checkpoint = await openAny({ source, files }, weights);
  const found = partsIn(checkpoint).find(({ kind }) => kinds.includes(kind));
  if (!found) {
    throw new AppError(
      'bad-checkpoint',
      `${weights} holds no ${WORDS[kinds[0]!][0]}.`,
      'Check that the files are those of a FLUX.1 model.',
    );
  }
  return describe(found, checkpoint, await readText(source, config));
}

/** Parts that `found` lacks, in files of no more than `largest` bytes. */
async function partsOf(
  folder: ModelFolder,
  paths: readonly string[],
  found: Found,
  largest: number,
): Promise<Found> {
  const added = new Map<PartKind, { found: FoundPart; checkpoint: Checkpoint }>();
  for (const path of paths) {
    if (largest < Infinity && (await folder.source.size(path)) > largest) continue;
    const checkpoint = await openAny(folder, path);
    for (const part of partsIn(checkpoint)) {
      if (found[part.kind]) continue;
      const other = added.get(part.kind);
      if (other) throw twice(part, other.found);
      added.set(part.kind, { found: part, checkpoint });
    }
  }
  return Object.fromEntries(
    [...added].map(([kind, { found, checkpoint }]) => [kind, describe(found, checkpoint)]),
  );
}

function describe(found: FoundPart, { metadata }: Checkpoint, config?: string): Part {
  const { tensors, config: inferred } = found.open();
  const title = metadata.get('modelspec.title');
  return {
    where: found.where,
    tensors,
    config: config ?? JSON.stringify(inferred()),
    ...(title !== undefined && { title }),
  };
}

/** Single files, and the indices of those in several. */
function looseFiles(files: ReadonlySet<string>): string[] {
  return [...files].filter((path) =>
    path.endsWith('.safetensors')
      ? !/-\d+-of-\d+\.safetensors$/.test(path)
      : /\.safetensors\.index(\.\w+)?\.json$/.test(path),
  );
}

function openAny({ source }: ModelFolder, path: string): Promise<Checkpoint> {
  return path.endsWith('.json') ? openIndex(source, path) : openFile(source, path);
}

function checked({ tiny, ...found }: Found): Parts {
  const autoencoder = found.autoencoder ?? tiny;
  const previewer = found.autoencoder && tiny;
  const { transformer, t5, clip } = found;
  if (transformer && t5 && clip && autoencoder) {
    return { transformer, t5, clip, autoencoder, ...(previewer && { previewer }) };
  }
  const missing = REQUIRED.filter((kind) => !{ transformer, t5, clip, autoencoder }[kind]);
  throw new AppError(
    'not-found',
    `Among the files there is no ${missing.map((kind) => WORDS[kind][0]).join(', and no ')}.`,
    `Add ${missing.map((kind) => WORDS[kind][1]).join(', ')}.`,
  );
}

function twice(one: FoundPart, other: FoundPart): AppError {
  return new AppError(
    'bad-checkpoint',
    `The ${WORDS[one.kind][0]} is there twice: ${other.where} and ${one.where}.`,
    'Choose only the files that belong together.',
  );
}
