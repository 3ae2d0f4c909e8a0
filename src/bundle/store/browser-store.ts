/** The store of this browser, for the worker. */
import { AppError } from '../../errors.ts';
import { type ModelStore, openStore } from '../store.ts';
import type { OpfsFolder } from './opfs.ts';
import { browserRecords } from './records.ts';

/**
 * @param persist asks the browser to keep what is stored, which only the page can do
 * @throws AppError `out-of-storage` if the browser keeps nothing for this page.
 */
export async function openBrowserStore(persist?: () => Promise<boolean>): Promise<ModelStore> {
  const { locks, storage } = navigator;
  try {
    // The types of a page know no access handles, which its workers have.
    const root = (await storage.getDirectory()) as FileSystemDirectoryHandle & OpfsFolder;
    return await openStore(root, browserRecords(), {
      locks,
      storage: {
        estimate: () => storage.estimate(),
        persisted: () => storage.persisted(),
        ...(persist && { persist }),
      },
    });
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      'out-of-storage',
      'This browser keeps no models for this page.',
      'A private window, or a setting that blocks storage, does that. Open the page in a usual window.',
      { cause },
    );
  }
}
