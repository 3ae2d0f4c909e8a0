/** A folder on disk as a conversion's source. */
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { AppError } from '../src/errors.ts';
import { endsBefore, type Source } from '../src/onnx/files.ts';

/** A folder, or the folder around a single .safetensors file, of which only that file is listed. */
export class FolderSource implements Source {
  readonly name: string;
  private readonly folder: string;
  private readonly only: string | undefined;

  constructor(path: string) {
    const single = path.endsWith('.safetensors');
    this.folder = single ? dirname(path) : path;
    this.only = single ? basename(path) : undefined;
    this.name = basename(resolve(path));
  }

  async list(): Promise<readonly string[]> {
    if (this.only !== undefined) return [this.only];
    let entries;
    try {
      entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    } catch (cause) {
      throw notThere(this.folder, cause);
    }
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(this.folder, join(entry.parentPath, entry.name)))
      .map((path) => path.split(sep).join('/'))
      .sort();
  }

  async has(path: string): Promise<boolean> {
    return stat(join(this.folder, path)).then(
      (found) => found.isFile(),
      () => false,
    );
  }

  async size(path: string): Promise<number> {
    try {
      return (await stat(join(this.folder, path))).size;
    } catch (cause) {
      throw notThere(join(this.folder, path), cause);
    }
  }

  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const full = join(this.folder, path);
    const file = await open(full).catch((cause: unknown) => {
      throw notThere(full, cause);
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

function notThere(path: string, cause: unknown): AppError {
  return new AppError('not-found', `${path} does not exist.`, 'Check the path.', { cause });
}
