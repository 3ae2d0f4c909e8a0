/** Where a conversion reads and writes: a folder on disk, a picked folder, a repository. */

/** A folder of files that can be read in pieces. Paths use forward slashes. */
export interface Source {
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

/** A folder that is written file by file, each from its beginning to its end. */
export interface Sink {
  /** Adds bytes at the end of a file; the first call creates the file anew. */
  append(path: string, bytes: Uint8Array): Promise<void>;
}

export async function readText(source: Source, path: string): Promise<string> {
  return new TextDecoder().decode(await source.read(path, 0, await source.size(path)));
}
