/** A folder on disk as a conversion's source and sink. */
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../src/errors.ts';
import type { Sink, Source } from '../src/onnx/files.ts';

export class FolderSource implements Source {
  constructor(private readonly folder: string) {}

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
      throw new AppError(
        'not-found',
        `${join(this.folder, path)} does not exist.`,
        'Check the path.',
        {
          cause,
        },
      );
    }
  }

  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const file = await open(join(this.folder, path));
    try {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) {
          throw new AppError(
            'bad-checkpoint',
            `${join(this.folder, path)} ends before byte ${offset + length}.`,
            'Check that the file was downloaded or saved completely.',
          );
        }
        done += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  }
}

export class FolderSink implements Sink {
  private readonly files = new Map<string, FileHandle>();

  constructor(private readonly folder: string) {}

  async append(path: string, bytes: Uint8Array): Promise<void> {
    let file = this.files.get(path);
    if (!file) {
      const full = join(this.folder, path);
      await mkdir(dirname(full), { recursive: true });
      file = await open(full, 'w');
      this.files.set(path, file);
    }
    // writeFile on a handle goes on from where the last one ended.
    await file.writeFile(bytes);
  }

  async close(): Promise<void> {
    for (const file of this.files.values()) await file.close();
    this.files.clear();
  }
}
