/** Where a conversion reads and writes: a folder on disk, picked files, an address, a repository. */
import { AppError } from '../shared/errors.ts';

/** A folder of files that can be read in pieces. Paths use forward slashes. */
export interface Source {
  /** What people know it by: a folder's name, or an address. */
  readonly name?: string;
  /**
   * All files there are, as paths; nothing where they cannot be listed, such as a folder of a plain
   * web server, where only paths known beforehand can be asked for.
   */
  list(): Promise<readonly string[]>;
  has(path: string): Promise<boolean>;
  /** Size in bytes. Throws `AppError` `not-found`. */
  size(path: string): Promise<number>;
  /** Exactly `length` bytes from `offset`. @throws AppError `bad-checkpoint` if the file ends before. */
  read(path: string, offset: number, length: number): Promise<Uint8Array>;
}

/** Configurations, indices and vocabularies are far smaller. */
const LARGEST_TEXT = 100 * 2 ** 20;

/** All of a small file. @throws AppError `bad-checkpoint` if it is not small */
export async function readBytes(source: Source, path: string): Promise<Uint8Array> {
  const size = await source.size(path);
  if (size > LARGEST_TEXT) {
    throw new AppError(
      'bad-checkpoint',
      `${path} has ${size} bytes, too many for what it should hold.`,
      'Check that it is the file that it is named after.',
    );
  }
  return source.read(path, 0, size);
}

export async function readText(source: Source, path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(source, path));
}

/** @throws AppError `bad-checkpoint`, always: a file is shorter than it should be. */
export function endsBefore(path: string, end: number): never {
  throw new AppError(
    'bad-checkpoint',
    `${path} ends before byte ${end}.`,
    'Check that the file was downloaded or saved completely.',
  );
}
