/** This browser's store of models; for workers. */
import { AppError } from '../../shared/errors.ts';
import { type ModelStore, openStore } from './store.ts';
import type { OpfsFolder } from './opfs.ts';
import { browserRecords } from './records.ts';
import { isOutOfStorage, outOfStorage } from './room.ts';

let opened: Promise<ModelStore> | undefined;

/** Opened once; again after a failure. @throws AppError `out-of-storage` where the browser keeps nothing. */
export function openBrowserStore(): Promise<ModelStore> {
  opened ??= open().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

/** Whether models can be kept at all: some private windows, and some browsers, keep no files. */
export async function keepsFiles(): Promise<boolean> {
  return (await privateFiles()) !== undefined;
}

async function open(): Promise<ModelStore> {
  const root = await privateFiles();
  if (!root) throw keepsNothing();
  try {
    return await openStore(root, browserRecords());
  } catch (cause) {
    if (isOutOfStorage(cause)) throw outOfStorage('the list of models', 0, undefined, cause);
    throw keepsNothing(cause);
  }
}

/** The types promise all of this to everybody. */
type Partly = Partial<Pick<WorkerNavigator, 'storage' | 'locks'>>;

/** Undefined where the browser lacks a part of what keeps models, or refuses it here. */
async function privateFiles(): Promise<OpfsFolder | undefined> {
  // Where they are forbidden, some browsers throw as soon as they are read.
  try {
    const { storage, locks }: Partly = navigator;
    const writable = globalThis.FileSystemFileHandle?.prototype;
    if (!locks || !globalThis.indexedDB || !writable || !('createSyncAccessHandle' in writable)) {
      return undefined;
    }
    return await storage?.getDirectory();
  } catch {
    return undefined;
  }
}

function keepsNothing(cause?: unknown): AppError {
  return new AppError(
    'out-of-storage',
    'This browser keeps no files for this page.',
    'Leave the private window, allow the site to store data, or use another browser.',
    { cause },
  );
}
