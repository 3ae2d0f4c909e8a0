/** Connections on which nothing comes count as lost after a while. */
import { cancelled, type HttpOptions, TransientError } from '../http/request.ts';
import type { RetryOptions } from '../http/retries.ts';

export interface Patience extends HttpOptions, RetryOptions {
  /** Ends requests, the reading of what they answer and pauses: all reject with `cancelled`. */
  readonly signal?: AbortSignal;
  /** How long nothing may come until the connection counts as lost, in milliseconds. */
  readonly stall?: number;
}

const STALL_MS = 60_000;

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

/** @throws AppError `cancelled`; TransientError `offline` when nothing came for too long. */
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
      'offline',
      `${address} cannot be reached: nothing came for ${Math.round(stall / 1000)} s.`,
      'Check the connection, then go on.',
      { cause },
    );
  } finally {
    watch.stop();
  }
}
