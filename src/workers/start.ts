/** What every worker of this page has in common on the page's side. */
import { AppError } from '../shared/errors.ts';

export interface StartedWorker {
  readonly worker: Worker;
  /** A call to the worker, which fails if the worker does. */
  orFailure<T>(call: Promise<T>): Promise<T>;
}

/** A worker whose script does not load or parse answers no message; only its error event tells. */
export function startWorker(worker: Worker, failure: string): StartedWorker {
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => {
      const detail = event.message ? `: ${event.message}` : '.';
      reject(new AppError('internal', `${failure}${detail}`, RELOAD));
    });
  });
  failed.catch(() => undefined);
  return { worker, orFailure: (call) => Promise.race([call, failed]) };
}

const RELOAD = 'Reload the page. If it happens again, try another browser.';
