/** A folder on disk as a conversion's source. */
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError } from '../shared/errors.ts';
import { endsBefore, type Source } from '../convert/files.ts';
import { isWeightFile } from '../convert/checkpoint/layouts/formats.ts';

/** A folder, or the folder around a single file of weights, of which only that file is listed. */
export class FolderSource implements Source {
  readonly name: string;
  private readonly folder: string;
  private readonly only: string | undefined;

  constructor(path: string) {
    const single = isWeightFile(path);
    this.folder = single ? dirname(path) : path;
    this.only = single ? basename(path) : undefined;
    this.name = basename(resolve(path));
  }

  /** Links are followed: the Hugging Face cache keeps every file, and some folders, behind one. */
  async list(): Promise<readonly string[]> {
    if (this.only !== undefined) return [this.only];
    const files: string[] = [];
    await addFiles(this.folder, '', new Set(), files);
    return files.sort();
  }

  async has(path: string): Promise<boolean> {
    return stat(join(this.folder, path)).then(
      (found) => found.isFile(),
      () => false,
    );
  }

  async size(path: string): Promise<number> {
    const full = join(this.folder, path);
    try {
      return (await stat(full)).size;
    } catch (cause) {
      throw await unreadable(full, cause);
    }
  }

  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const full = join(this.folder, path);
    const file = await open(full).catch(async (cause: unknown) => {
      throw await unreadable(full, cause);
    });
    try {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) endsBefore(full, offset + length);
        done += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  }
}

/**
 * Adds the paths of all files in a folder and below, each with `before` before it. A link that leads
 * nowhere counts as a file, so that reading it says what is wrong.
 *
 * @param around real paths of the folders that this one is in: a link back to one of them has no end
 */
async function addFiles(
  folder: string,
  before: string,
  around: ReadonlySet<string>,
  files: string[],
): Promise<void> {
  let entries;
  let real;
  try {
    real = await realpath(folder);
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw await unreadable(folder, cause);
  }
  if (around.has(real)) return;
  const inside = new Set([...around, real]);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const isFolder = entry.isSymbolicLink()
      ? await stat(path).then(
          (found) => found.isDirectory(),
          () => false,
        )
      : entry.isDirectory();
    if (isFolder) await addFiles(path, `${before}${entry.name}/`, inside, files);
    else files.push(before + entry.name);
  }
}

async function unreadable(path: string, cause: unknown): Promise<AppError> {
  const { code } = cause as NodeJS.ErrnoException;
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (isLink && (code === 'ENOENT' || code === 'ELOOP')) {
    return new AppError(
      'not-found',
      `${path} is a link that leads nowhere.`,
      'Download the file again, or remove the link.',
      { cause },
    );
  }
  if (code === undefined || code === 'ENOENT' || code === 'ENOTDIR') {
    return new AppError('not-found', `${path} does not exist.`, 'Check the path.', { cause });
  }
  return new AppError('no-access', `${path} cannot be read (${code}).`, 'Check its permissions.', {
    cause,
  });
}
