/** A writable folder on disk. */
import { constants, type FileHandle, mkdir, open, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { RepairableFolder } from '../bundle/folder.ts';
import { OpenFiles } from '../bundle/open-files.ts';
import { outOfStorage } from '../bundle/store/room.ts';
import { AppError } from '../shared/errors.ts';

/**
 * @param path created when the first file is
 * Its methods throw, besides what WritableFolder says, AppError `bad-request` where the system
 * refuses to write.
 */
export function diskFolder(path: string): RepairableFolder {
  const root = resolve(path);
  return new OpenFiles({
    async open(names, create) {
      const file = join(root, ...names);
      if (create) await makeFolder(dirname(file));
      const mode = constants.O_RDWR | (create ? constants.O_CREAT : 0);
      const handle = await open(file, mode).catch((cause: unknown) => {
        if (codeOf(cause) === 'ENOENT' && !create) return undefined;
        throw cause;
      });
      return handle && opened(handle, dirname(file));
    },
    remove: (names) => rm(join(root, ...names), { force: true }),
    explain: (cause, file, wanted) => explain(cause, root, join(root, file), wanted),
  });
}

function opened(handle: FileHandle, folder: string) {
  return {
    size: async () => (await handle.stat()).size,
    read: async (bytes: Uint8Array<ArrayBuffer>, at: number) =>
      (await handle.read(bytes, 0, bytes.length, at)).bytesRead,
    write: async (bytes: Uint8Array, at: number) =>
      (await handle.write(bytes, 0, bytes.length, at)).bytesWritten,
    truncate: (length: number) => handle.truncate(length),
    async flush() {
      await handle.sync();
      await syncFolder(folder);
    },
    close: () => handle.close(),
  };
}

/** So that a crash leaves no folder whose name is not written down in the one around it. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first !== undefined) await syncFolder(dirname(first));
}

/** A new file's name is kept by its folder. Windows needs no such thing and has no way to do it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function explain(
  cause: unknown,
  root: string,
  file: string,
  wanted: number,
): Promise<unknown> {
  const code = codeOf(cause);
  if (code === undefined) return cause;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const disk = await statfs(root).catch(() => undefined);
    return outOfStorage(file, wanted, disk && disk.bavail * disk.bsize, cause);
  }
  return new AppError(
    'bad-request',
    `${file} cannot be written (${code}).`,
    'Name a folder in which you may write and that holds nothing else.',
    { cause },
  );
}

function codeOf(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException).code;
}
