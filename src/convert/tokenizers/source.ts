/** Finding and reading the files of a tokenizer. */
import { AppError } from '../../shared/errors.ts';
import type { Source } from '../files.ts';

/** The two text encoders' tokenizers. */
export type Kind = 'clip' | 't5';

const LARGEST_FILE = 64 * 2 ** 20;
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** Folder of a FLUX pipeline where the tokenizer lies. */
export const FOLDERS: Record<Kind, string> = { clip: 'tokenizer', t5: 'tokenizer_2' };

/** What to do about a tokenizer file that is missing or broken. */
export const HINTS: Record<Kind, string> = {
  clip: 'Add tokenizer.json, or vocab.json and merges.txt, from the folder tokenizer/ of a FLUX.1 repository or from openai/clip-vit-large-patch14.',
  t5: 'Add tokenizer.json or spiece.model from the folder tokenizer_2/ of a FLUX.1 repository or from google/t5-v1_1-xxl.',
};

/**
 * Those of `paths` that exist and whose last part matches `name`: first those in the pipeline's own
 * folder for the tokenizer.
 */
export async function candidates(
  source: Source,
  paths: readonly string[],
  name: RegExp,
  kind: Kind,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if (name.test(path.split('/').at(-1)!) && (await source.has(path))) found.push(path);
  }
  const isOwn = (path: string): boolean => folderOf(path).split('/').at(-1) === FOLDERS[kind];
  return [...found.filter(isOwn), ...found.filter((path) => !isOwn(path))];
}

/** Empty for a file at the top. */
export function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

/** @throws AppError `bad-checkpoint` if the file is too large, or a placeholder for another file. */
export async function readLimited(source: Source, path: string, kind: Kind): Promise<Uint8Array> {
  const size = await source.size(path);
  if (size > LARGEST_FILE) throw bad(path, `${size} bytes are too many for a tokenizer`, kind);
  const bytes = await source.read(path, 0, size);
  const beginning = new TextDecoder().decode(bytes.subarray(0, LFS_POINTER.length));
  if (beginning === LFS_POINTER) throw bad(path, 'is a Git LFS pointer, not the file itself', kind);
  return bytes;
}

/** @throws AppError `bad-checkpoint` unless the file is JSON. */
export async function readJson(source: Source, path: string, kind: Kind): Promise<unknown> {
  const text = new TextDecoder().decode(await readLimited(source, path, kind));
  return parseJson(text, path, kind);
}

export function parseJson(text: string, path: string, kind: Kind): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw bad(path, 'is not valid JSON', kind, cause);
  }
}

/** A problem of a file; `what` begins with the field if it is about one. */
export function bad(path: string, what: string, kind: Kind, cause?: unknown): AppError {
  return new AppError('bad-checkpoint', `${path}: ${what}.`, HINTS[kind], { cause });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
