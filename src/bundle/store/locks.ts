/** Web Locks: what only one tab of the page may do at a time. */

export type Locks = Pick<LockManager, 'request'>;

/** A page that was just reloaded lets go of its locks a moment later. */
const PATIENCE_MS = 2000;

/**
 * Takes a lock until the returned function is called, or this thread ends.
 * @param busy the error to throw if another has it, even after a moment
 */
export function hold(
  locks: Locks,
  name: string,
  busy: (cause: unknown) => Error,
  patience = PATIENCE_MS,
): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(patience);
    locks
      .request(name, { signal }, () => new Promise<void>((release) => resolve(release)))
      .catch((cause: unknown) => reject(signal.aborted ? busy(cause) : cause));
  });
}
