/** Finds a model's parts: in the folders of a diffusers pipeline, else in any files beside them. */
import { AppError } from '../../../shared/errors.ts';
import { readText } from '../../files.ts';
import { openFile, openIndex, openShards, type Checkpoint } from '../safetensors.ts';
import type { TensorSource } from '../tensors.ts';
import { refuseConfig } from './class-names.ts';
import { type Foreign, foreignIn, notFlux } from './families.ts';
import { FOLDERS, PREVIEW_FOLDERS, weightFiles, type PartFolder } from './folders.ts';
import { otherFormat, unreadableFormat } from './formats.ts';
import type { ModelFolder } from './listing.ts';
import { partsIn, type Blocks, type FoundPart, type PartKind } from './recognise.ts';
import { looseWeights, shardsOf } from './shards.ts';

export interface Part {
  readonly where: string;
  /** By the names that `ModelParts` says. */
  readonly tensors: TensorSource;
  /** Text of the config.json beside the tensors, or of what it would be. */
  readonly config: string;
  /** What a config.json must say of the number of blocks. */
  readonly blocks: Blocks;
  /** All tensors of the files that the part is in. */
  readonly checkpoint: TensorSource;
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
  /** Files of weights that no part is taken from. */
  readonly unusedFiles: readonly string[];
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

/** What is left over: files that hold nothing that is needed, or that cannot be read. */
interface Leftovers {
  readonly foreign: readonly { readonly where: string; readonly foreign: Foreign }[];
  readonly unused: readonly string[];
}

/**
 * @throws AppError `not-found` that names all parts that are missing, `bad-checkpoint` for files
 *   that are damaged and for models of another family
 */
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
  const loose = looseWeights(folder.files).filter(
    (path) => !taken.some((place) => path.startsWith(place)),
  );
  const rest = await partsOf(folder, loose, found, complete ? TINY_BYTES : Infinity);
  Object.assign(found, rest.parts);
  return checked(found, folder, rest);
}

async function partIn(
  { source, files }: ModelFolder,
  { folder, stem }: PartFolder,
  kinds: readonly PartKind[],
): Promise<Part | undefined> {
  const config = `${folder}/config.json`;
  const weights = weightFiles(folder, stem).find((path) => files.has(path));
  if (!files.has(config) || weights === undefined) return undefined;
  const text = await readText(source, config);
  refuseConfig(config, text);
  const checkpoint = await openAny({ source, files }, weights);
  const foreign = foreignIn(checkpoint);
  if (foreign) throw notFlux(weights, foreign);
  const found = partsIn(checkpoint).find(({ kind }) => kinds.includes(kind));
  if (!found) {
    throw new AppError(
      'bad-checkpoint',
      `${weights} holds no ${WORDS[kinds[0]!][0]}.`,
      'Check that the files are those of a FLUX.1 model.',
    );
  }
  return describe(found, checkpoint, text);
}

/** Parts that `found` lacks, in files of no more than `largest` bytes; the other files. */
async function partsOf(
  folder: ModelFolder,
  paths: readonly string[],
  found: Found,
  largest: number,
): Promise<Leftovers & { readonly parts: Found }> {
  const added = new Map<PartKind, { found: FoundPart; checkpoint: Checkpoint }>();
  const foreign: { where: string; foreign: Foreign }[] = [];
  const unused: string[] = [];
  for (const path of paths) {
    if (largest < Infinity && (await folder.source.size(path)) > largest) {
      unused.push(path);
      continue;
    }
    const checkpoint = await openAny(folder, path);
    const other = foreignIn(checkpoint);
    if (other) foreign.push({ where: path, foreign: other });
    let used = false;
    for (const part of other ? [] : partsIn(checkpoint)) {
      if (found[part.kind]) continue;
      const first = added.get(part.kind);
      if (first) throw twice(part, first.found);
      added.set(part.kind, { found: part, checkpoint });
      used = true;
    }
    if (!used) unused.push(path);
  }
  const parts = Object.fromEntries(
    [...added].map(([kind, { found, checkpoint }]) => [kind, describe(found, checkpoint)]),
  );
  return { parts, foreign, unused };
}

function describe(found: FoundPart, checkpoint: Checkpoint, config?: string): Part {
  const { tensors, config: inferred, blocks } = found.open();
  const title = checkpoint.metadata.get('modelspec.title');
  return {
    where: found.where,
    tensors,
    config: config ?? JSON.stringify(inferred()),
    blocks: blocks(),
    checkpoint,
    ...(title !== undefined && { title }),
  };
}

function openAny({ source, files }: ModelFolder, path: string): Promise<Checkpoint> {
  if (path.endsWith('.json')) return openIndex(source, path);
  const shards = shardsOf(files, path);
  return shards ? openShards(source, path, shards) : openFile(source, path);
}

function checked({ tiny, ...found }: Found, folder: ModelFolder, rest: Leftovers): Parts {
  const autoencoder = found.autoencoder ?? tiny;
  const previewer = found.autoencoder && tiny;
  const { transformer, t5, clip } = found;
  if (transformer && t5 && clip && autoencoder) {
    const parts = { transformer, t5, clip, autoencoder, ...(previewer && { previewer }) };
    return { ...parts, unusedFiles: rest.unused };
  }
  const missing = REQUIRED.filter((kind) => !{ transformer, t5, clip, autoencoder }[kind]);
  throw notComplete(missing, found, folder, rest);
}

/** Why parts are missing: files of another family or format, if there are any. */
function notComplete(
  missing: readonly (typeof REQUIRED)[number][],
  found: Found,
  { files }: ModelFolder,
  { foreign }: Leftovers,
): AppError {
  const [other] = foreign;
  if (other && missing.includes('transformer')) return notFlux(other.where, other.foreign);
  const unreadable = [...files].find((path) => otherFormat(path) !== undefined);
  if (unreadable !== undefined) return unreadableFormat(unreadable, otherFormat(unreadable)!);
  const words = (kinds: readonly PartKind[]): string[] => kinds.map((kind) => WORDS[kind][0]);
  const there = REQUIRED.filter((kind) => found[kind]);
  return new AppError(
    'not-found',
    `Among the files there is no ${words(missing).join(', and no ')}.`,
    `${there.length > 0 ? `There is only the ${words(there).join(', and the ')}. ` : ''}Add ${missing.map((kind) => WORDS[kind][1]).join(', ')}.`,
  );
}

function twice(one: FoundPart, other: FoundPart): AppError {
  return new AppError(
    'bad-checkpoint',
    `The ${WORDS[one.kind][0]} is there twice: ${other.where} and ${one.where}.`,
    'Choose only the files that belong together.',
  );
}
