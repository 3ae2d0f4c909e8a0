/**
 * What the store uses of the origin private file system, as a dedicated worker has it: the DOM's
 * types know no access handles, and tests have a file system of their own.
 */

export interface AccessHandle {
  read(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  truncate(length: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

export interface OpfsFile {
  readonly kind: 'file';
  getFile(): Promise<File>;
  createSyncAccessHandle(): Promise<AccessHandle>;
}

export interface OpfsFolder {
  readonly kind: 'directory';
  getFileHandle(name: string, options?: { create?: boolean }): Promise<OpfsFile>;
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<OpfsFolder>;
  removeEntry(name: string, options?: { recursive?: boolean }): Promise<void>;
  entries(): AsyncIterable<[string, OpfsFile | OpfsFolder]>;
}

/** Undefined in place of a file or a folder that is not there. */
export async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (cause) {
    if (isFailure(cause, 'NotFoundError')) return undefined;
    throw cause;
  }
}

/** Whether something failed for the reason that browsers call by this name. */
export function isFailure(cause: unknown, name: string): boolean {
  return cause instanceof Error && cause.name === name;
}
