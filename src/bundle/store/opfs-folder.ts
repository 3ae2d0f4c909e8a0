/** A writable folder in the origin private file system. In a dedicated worker only. */
import { AppError } from '../../shared/errors.ts';
import type { RepairableFolder } from '../folder.ts';
import { type OpenFile, OpenFiles } from '../open-files.ts';
import { ifThere, isFailure, type OpfsFile, type OpfsFolder } from './opfs.ts';
import { isOutOfStorage, outOfStorage } from './room.ts';

/**
 * @param beforeGrowth called with the bytes by which a file is about to get longer
 * Its methods throw, besides what WritableFolder says, AppError `busy` for a file that is open
 * elsewhere, `bad-bundle` for a file in the place of a folder or the other way round.
 */
export function opfsFolder(
  directory: OpfsFolder,
  beforeGrowth?: (bytes: number) => Promise<void>,
): RepairableFolder {
  return new OpenFiles({
    async open(names, create) {
      const handle = await ifThere(fileIn(directory, names, create));
      return handle && opened(handle, beforeGrowth);
    },
    async remove(names) {
      const parent = await ifThere(parentIn(directory, names, false));
      if (parent) await ifThere(parent.removeEntry(names.at(-1)!));
    },
    explain,
  });
}

/** @throws a DOMException `NotFoundError` if it is not there and not to be created. */
export async function fileIn(
  directory: OpfsFolder,
  names: readonly string[],
  create = false,
): Promise<OpfsFile> {
  const parent = await parentIn(directory, names, create);
  return parent.getFileHandle(names.at(-1)!, { create });
}

async function parentIn(
  directory: OpfsFolder,
  names: readonly string[],
  create: boolean,
): Promise<OpfsFolder> {
  let folder = directory;
  for (const name of names.slice(0, -1)) {
    folder = await folder.getDirectoryHandle(name, { create });
  }
  return folder;
}

async function opened(
  handle: OpfsFile,
  beforeGrowth?: (bytes: number) => Promise<void>,
): Promise<OpenFile> {
  const access = await handle.createSyncAccessHandle();
  return {
    size: () => access.getSize(),
    read(bytes, at) {
      const count = access.read(bytes, { at });
      if (count > bytes.length) throw new DOMException('It cannot be read.', 'NotReadableError');
      return count;
    },
    async write(bytes, at) {
      if (beforeGrowth) await beforeGrowth(Math.max(0, at + bytes.length - access.getSize()));
      const count = access.write(bytes as Uint8Array<ArrayBuffer>, { at });
      // A full storage is not a failure everywhere: Chromium's private windows give an error code,
      // which is negative but comes as a number without sign.
      if (count === 0 || count > bytes.length) {
        throw new DOMException('Nothing more fits.', 'QuotaExceededError');
      }
      return count;
    },
    truncate: (length) => access.truncate(length),
    flush: () => access.flush(),
    close: () => access.close(),
  };
}

function explain(cause: unknown, path: string, wanted: number): unknown {
  if (isOutOfStorage(cause)) {
    return outOfStorage(path === '' ? 'the model' : path, wanted, undefined, cause);
  }
  if (isFailure(cause, 'NoModificationAllowedError')) return openElsewhere(path, cause);
  if (isFailure(cause, 'TypeMismatchError')) {
    return new AppError(
      'bad-bundle',
      `${path} is a file and a folder at once.`,
      'Convert or download the bundle again.',
      { cause },
    );
  }
  const gone = ['NotFoundError', 'InvalidStateError', 'NotReadableError'];
  if (gone.some((name) => isFailure(cause, name))) {
    return new AppError(
      'not-found',
      `The folder of ${path} is no longer there.`,
      'The model was removed, or the browser cleared its storage. Begin again.',
      { cause },
    );
  }
  return cause;
}

/** `what`: a file, or a model by its title. */
export function openElsewhere(what: string, cause?: unknown): AppError {
  return new AppError(
    'busy',
    `${what} is in use by another tab of this page.`,
    'Finish there or close that tab, then try again.',
    { cause },
  );
}
