/** Files in memory, for conversions in tests. */
import { AppError } from '../../../src/shared/errors.ts';
import { endsBefore, type Source } from '../../../src/convert/files.ts';

export class MemoryFiles implements Source {
  readonly files = new Map<string, Uint8Array>();
  /** The longest single read so far. */
  longestRead = 0;

  /** Text files may be given as text. */
  constructor(files: Readonly<Record<string, Uint8Array | string>> = {}) {
    for (const [path, file] of Object.entries(files)) {
      this.files.set(path, typeof file === 'string' ? new TextEncoder().encode(file) : file);
    }
  }

  list(): Promise<string[]> {
    return Promise.resolve([...this.files.keys()]);
  }

  has(path: string): Promise<boolean> {
    return Promise.resolve(this.files.has(path));
  }

  async size(path: string): Promise<number> {
    return Promise.resolve(this.file(path).length);
  }

  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    this.longestRead = Math.max(this.longestRead, length);
    const file = this.file(path);
    if (offset + length > file.length) endsBefore(path, offset + length);
    return Promise.resolve(file.subarray(offset, offset + length));
  }

  private file(path: string): Uint8Array {
    const found = this.files.get(path);
    if (!found) throw new AppError('not-found', `${path} does not exist.`, 'Check the test.');
    return found;
  }
}

/** A safetensors file: a header (as bytes, as text or as an object) followed by its data. */
export function safetensorsFile(header: unknown, data: Uint8Array): Uint8Array {
  const text =
    header instanceof Uint8Array
      ? header
      : new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}
