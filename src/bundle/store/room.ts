/** How much may be stored, in figures and in words. */
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
  const known = free === undefined ? '' : `: ${inWords(free)} are free`;
  return new AppError(
    'out-of-storage',
    `There is no room for ${inWords(wanted)} more of ${what}${known}.`,
    'Remove a model that you do not need, or free space on the disk, then go on. What is stored already stays.',
    { cause },
  );
}

/** Bytes that a site may still store. */
export async function freeBytes(storage: Pick<Storage, 'estimate'>): Promise<number | undefined> {
  const { usage, quota } = await storage.estimate();
  return usage === undefined || quota === undefined ? undefined : Math.max(0, quota - usage);
}

export function inWords(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
