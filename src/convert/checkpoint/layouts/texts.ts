/** Small text files by their paths, for what reads a folder's configuration. */
import { AppError } from '../../../shared/errors.ts';
import { endsBefore, type Source } from '../../files.ts';

export class TextFiles implements Source {
  private readonly files = new Map<string, Uint8Array>();

  add(path: string, text: string): void {
    this.files.set(path, new TextEncoder().encode(text));
  }

  async list(): Promise<readonly string[]> {
    return Promise.resolve([...this.files.keys()]);
  }

  async has(path: string): Promise<boolean> {
    return Promise.resolve(this.files.has(path));
  }

  async size(path: string): Promise<number> {
    return Promise.resolve(this.file(path).length);
  }

  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const file = this.file(path);
    if (offset + length > file.length) endsBefore(path, offset + length);
    return Promise.resolve(file.slice(offset, offset + length));
  }

  private file(path: string): Uint8Array {
    const file = this.files.get(path);
    if (file) return file;
    throw new AppError('not-found', `${path} does not exist.`, 'Add it.');
  }
}
