/** Room in a storage: what is reported of it, and what is said where there is none. */
import { bytesInWords } from '../../shared/bytes.ts';
import { AppError } from '../../shared/errors.ts';

/**
 * What browsers report of a site's storage; some lack a part of it, or all. The quota of an estimate
 * is left out on purpose: it is no limit. Chrome gives what is used and 10 GiB, whatever the disk
 * holds, and private windows give the same while they allow far less.
 */
export interface Storage {
  estimate?(): Promise<{ usage?: number }>;
  persisted?(): Promise<boolean>;
}

export interface StorageSpace {
  /** Bytes that this site takes, null where the browser does not say. */
  readonly used: number | null;
  /** Whether the browser promised not to clear them by itself. */
  readonly persisted: boolean;
}

export async function spaceOf(storage: Storage | undefined): Promise<StorageSpace> {
  const { usage = null } = (await unlessItFails(() => storage?.estimate?.())) ?? {};
  const persisted = (await unlessItFails(() => storage?.persisted?.())) ?? false;
  return { used: usage, persisted };
}

/** These figures are for people to read: nothing depends on them. */
async function unlessItFails<T>(ask: () => Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

/** The standard's name of it, and what Firefox calls it where a file is made longer. */
const NAMES: readonly unknown[] = ['QuotaExceededError', 'NS_ERROR_FILE_NO_DEVICE_SPACE'];

/**
 * Whether a browser refused to store more. Older ones throw a DOMException of that name, newer ones
 * a class of their own that extends it; Firefox's own errors are no `Error`.
 */
export function isOutOfStorage(cause: unknown): boolean {
  return (
    typeof cause === 'object' && cause !== null && 'name' in cause && NAMES.includes(cause.name)
  );
}

/**
 * @param what a file or `the model`
 * @param wanted bytes that were to be added, 0 where that is not known
 * @param free bytes that can be added as was found by trying, undefined where nobody tried
 */
export function outOfStorage(
  what: string,
  wanted: number,
  free: number | undefined,
  cause?: unknown,
): AppError {
  const more = wanted > 0 ? `for ${bytesInWords(wanted)} more of ${what}` : `to write ${what}`;
  const known = free === undefined ? '' : `: ${bytesInWords(free)} are free`;
  return new AppError(
    'out-of-storage',
    `There is no room ${more}${known}.`,
    'Delete a model that you do not need, or free space on the disk, then continue. What is stored already stays.',
    { cause },
  );
}
