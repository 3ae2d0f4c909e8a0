/** The page's side of the worker that keeps models. */
import { proxy, wrap } from 'comlink';
import { registerErrorHandler } from '../rpc.ts';
import type { LibraryApi } from './api.ts';
import { startWorker } from '../start.ts';

/** Starts the worker; it lives as long as the page. */
export function startLibrary(): LibraryApi {
  registerErrorHandler();
  const { worker, orFailure } = startWorker(
    new Worker(new URL('./library-worker.ts', import.meta.url), {
      type: 'module',
      name: new URL('.', document.baseURI).href,
    }),
    'The worker that keeps models failed',
  );
  const remote = wrap<LibraryApi>(worker);
  return {
    list: () => orFailure(remote.list()),
    async import(request, onProgress) {
      await askToKeep();
      return orFailure(remote.import(request, proxy(onProgress)));
    },
    cancel: () => orFailure(remote.cancel()),
    remove: (id) => orFailure(remote.remove(id)),
    verify: (id, onProgress) => orFailure(remote.verify(id, proxy(onProgress))),
  };
}

/** Only a page may ask, not its workers. Browsers that say no, or know nothing of it, store all the same. */
async function askToKeep(): Promise<void> {
  try {
    await navigator.storage?.persist?.();
  } catch {
    // The models dialog says whether they are kept.
  }
}
