/** Trying again what may work later, after a pause that grows. */
import { cancelled, TransientError } from './request.ts';

export interface RetryOptions {
  /** Before what failed is tried again, in milliseconds, one for each time in a row. */
  readonly pauses?: readonly number[];
  /** Ends pauses: they reject with `cancelled`. */
  readonly signal?: AbortSignal;
}

const PAUSES_MS = [1000, 2000, 4000, 8000, 16_000];

/** Counts failures in a row. */
export class Retries {
  private failures = 0;

  constructor(private readonly options: RetryOptions) {}

  /** Something came. */
  reset(): void {
    this.failures = 0;
  }

  /** Waits, the longer the more failures there were. @throws `problem` after the last of them. */
  async after(problem: TransientError): Promise<void> {
    const { pauses = PAUSES_MS, signal } = this.options;
    const pause = pauses[this.failures++];
    if (pause === undefined) throw problem;
    await wait(pause, signal);
  }
}

/** Tries again while the error is a TransientError, as often as there are pauses. */
export async function withRetries<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const retries = new Retries(options);
  for (;;) {
    try {
      return await attempt();
    } catch (problem) {
      if (!(problem instanceof TransientError)) throw problem;
      await retries.after(problem);
    }
  }
}

/** @throws AppError `cancelled` */
function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(cancelled());
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
