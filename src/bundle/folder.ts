import { AppError } from '../shared/errors.ts';

/**
 * A folder that a bundle is written into, file by file, each from its beginning to its end, and
 * gone on with after the program or the page was stopped. Paths are relative, with forward slashes,
 * and never lead out of the folder. On disk for the command line, in OPFS for the page.
 */
export interface WritableFolder {
  /** Bytes of a file, 0 if there is none. */
  size(path: string): Promise<number>;
  /** Exactly `length` bytes from `offset`. @throws AppError `not-found` if they are not there. */
  read(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Cuts a file to `length` bytes, 0 for a new one; `append` goes on from there. */
  truncate(path: string, length: number): Promise<void>;
  /**
   * Adds bytes at the end of a file; creates it and its folders if need be.
   * @throws AppError `out-of-storage` if there is no room for them.
   */
  append(path: string, bytes: Uint8Array): Promise<void>;
  /** What was appended to any file so far survives a crash. */
  flush(): Promise<void>;
  /** Does nothing if there is no such file. */
  remove(path: string): Promise<void>;
  /** Flushes and lets go of all files; the folder can be opened again. */
  close(): Promise<void>;
}

/** A folder whose files can be mended in the middle, without writing anew what follows. */
export interface RepairableFolder extends WritableFolder {
  /**
   * Puts `bytes` from `offset` on in the place of as many.
   * @throws AppError `not-found` if there are not as many.
   */
  replace(path: string, offset: number, bytes: Uint8Array): Promise<void>;
}

/** Safe on every disk: no `..`, no drive, nothing hidden, no dot at the end. */
const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?$/;
const MOST_CHARACTERS = 300;

/**
 * The folders of a path and its file, from the outermost.
 * @throws AppError `bad-bundle` for a path that might lead out of a bundle's folder.
 */
export function namesOf(path: string): string[] {
  const names = path.split('/');
  if (path.length <= MOST_CHARACTERS && names.every((name) => NAME.test(name))) return names;
  throw new AppError(
    'bad-bundle',
    `"${path.slice(0, MOST_CHARACTERS)}" is not a path that a file of a bundle may have.`,
    'Convert or download the bundle again.',
  );
}
