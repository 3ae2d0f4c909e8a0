/** How much may be stored, in figures and in words. */
import { bytesInWords } from '../../bytes.ts';
import { AppError } from '../../errors.ts';

/** What browsers say of a site's storage. `persist` is there for pages only, not for workers. */
export interface Storage {
  estimate(): Promise<{ usage?: number; quota?: number }>;
  persisted(): Promise<boolean>;
  persist?(): Promise<boolean>;
}

/** `free`: bytes, undefined where it is not known. */
export function outOfStorage(
  what: string,
  wanted: number,
  free: number | undefined,
  cause?: unknown,
): AppError {
  const known = free === undefined ? '' : `: ${bytesInWords(free)} are free`;
  return new AppError(
    'out-of-storage',
    `There is no room for ${bytesInWords(wanted)} more of ${what}${known}.`,
    'Remove a model that you do not need, or free space on the disk, then go on. What is stored already stays.',
    { cause },
  );
}

/** Bytes that a site may still store. */
export async function freeBytes(storage: Pick<Storage, 'estimate'>): Promise<number | undefined> {
  const { usage, quota } = await storage.estimate();
  return usage === undefined || quota === undefined ? undefined : Math.max(0, quota - usage);
}
