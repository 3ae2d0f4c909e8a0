/** Web Locks, exclusive ones only, as all tabs of a site share them. */
import type { Locks } from '../../../src/bundle/store/locks.ts';

type Callback = (lock: Lock | null) => unknown;

export class MemoryLocks {
  private readonly held = new Map<string, Promise<unknown>>();

  /** Whether anybody has the lock. */
  has(name: string): boolean {
    return this.held.has(name);
  }

  /** For what asks for the whole of the browser's interface. */
  get locks(): Locks {
    return { request: this.request.bind(this) as Locks['request'] };
  }

  private async request(
    name: string,
    first: LockOptions | Callback,
    second?: Callback,
  ): Promise<unknown> {
    const options = typeof first === 'function' ? {} : first;
    const work = typeof first === 'function' ? first : second!;
    while (this.held.has(name)) await orAborted(this.held.get(name)!, options.signal);
    const done = Promise.resolve().then(() => work({ name, mode: 'exclusive' }));
    this.held.set(
      name,
      done.catch(() => undefined).then(() => this.held.delete(name)),
    );
    return done;
  }
}

function orAborted(before: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal!.reason as Error);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    void before.then(resolve);
  });
}
