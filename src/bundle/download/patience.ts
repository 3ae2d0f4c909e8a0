/** Time in a download: connections on which nothing comes, and pauses before they are tried again. */
import { cancelled, type HttpOptions, TransientError } from '../http.ts';

export interface Patience extends HttpOptions {
  /** How long nothing may come until the connection counts as lost, in milliseconds. */
  readonly stall?: number;
  /** Before a lost connection is tried again, in milliseconds, one for each time in a row. */
  readonly pauses?: readonly number[];
}

const STALL_MS = 60_000;
const PAUSES_MS = [1000, 2000, 4000, 8000, 16_000];

/** Counts failures in a row. */
export class Retries {
  private failures = 0;

  constructor(private readonly options: Patience) {}

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

/** Ends a request when nothing comes for a while. */
export class Watch {
  private readonly abort = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal: AbortSignal;

  constructor(
    private readonly stall: number,
    signal: AbortSignal | undefined,
  ) {
    this.signal = signal ? AbortSignal.any([signal, this.abort.signal]) : this.abort.signal;
    this.start();
  }

  /** Time that passes while a chunk is dealt with does not count. */
  async *each<T>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const chunk of chunks) {
      this.stop();
      yield chunk;
      this.start();
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private start(): void {
    this.stop();
    this.timer = setTimeout(() => this.abort.abort(), this.stall);
  }
}

/** @throws AppError `cancelled`; TransientError when nothing came for too long. */
export async function watched<T>(
  address: string,
  { signal, stall = STALL_MS }: Patience,
  work: (watch: Watch) => Promise<T>,
): Promise<T> {
  const watch = new Watch(stall, signal);
  try {
    return await work(watch);
  } catch (cause) {
    if (signal?.aborted) throw cancelled(cause);
    if (!watch.signal.aborted) throw cause;
    throw new TransientError(
      'not-found',
      `${address} cannot be reached: nothing came for ${Math.round(stall / 1000)} s.`,
      'Check the connection, then go on.',
      { cause },
    );
  } finally {
    watch.stop();
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
