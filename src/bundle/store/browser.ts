/** This browser's store of models; for workers. */
import { AppError } from '../../errors.ts';
import { type ModelStore, openStore } from '../store.ts';
import { browserRecords } from './records.ts';

let opened: Promise<ModelStore> | undefined;

/** Opened once; again after a failure. @throws AppError `out-of-storage` where the browser keeps nothing. */
export function openBrowserStore(): Promise<ModelStore> {
  opened ??= open().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function open(): Promise<ModelStore> {
  try {
    return await openStore(await navigator.storage.getDirectory(), browserRecords());
  } catch (cause) {
    throw new AppError(
      'out-of-storage',
      'This browser keeps no files for this page.',
      'Leave the private window, or allow the site to store data.',
      { cause },
    );
  }
}
