/**
 * Room that is set aside before a model is written: a file of its own that is made as long as what
 * is still to come, and shorter as that is written. What browsers estimate is no limit, so trying is
 * the only way to find out whether something fits. No model's folder holds this file, so that nobody
 * can take it for data; what a crash leaves of it goes when the store is opened again.
 */
import { ifThere, type AccessHandle, type OpfsFolder } from './opfs.ts';
import { isOutOfStorage, outOfStorage } from './room.ts';

const FOLDER = 'reserved';

/**
 * Given back at a time. Chromium counts a growing file in steps of up to 128 MiB, and counts what a
 * file had until it is closed.
 */
const STEP = 256 * 2 ** 20;

/** Least difference between what is found to fit and what is found not to. */
const PRECISION = 2 ** 12;

export class Reservation {
  /** Bytes given back and not yet taken up by what is written. */
  private given = 0;

  private constructor(
    private readonly folder: OpfsFolder,
    private readonly name: string,
    private access: AccessHandle | undefined,
    private held: number,
    private readonly step: number,
  ) {}

  /**
   * @param root of the site's private storage
   * @param name of what the room is for, as a file may be called
   * @throws AppError `out-of-storage` with what would fit, after which nothing is set aside.
   */
  static async make(
    root: OpfsFolder,
    name: string,
    bytes: number,
    step = STEP,
  ): Promise<Reservation> {
    try {
      const folder = await root.getDirectoryHandle(FOLDER, { create: true });
      await ifThere(folder.removeEntry(name));
      const file = await folder.getFileHandle(name, { create: true });
      const made = new Reservation(folder, name, await file.createSyncAccessHandle(), bytes, step);
      try {
        made.lengthen(bytes);
      } catch (cause) {
        await made.end();
        throw cause;
      }
      return made;
    } catch (cause) {
      // Where even an empty file is refused, nothing is free.
      throw isOutOfStorage(cause) ? outOfStorage('the model', bytes, 0, cause) : cause;
    }
  }

  /** Call it before so many bytes are written. */
  async give(bytes: number): Promise<void> {
    if (this.given < bytes && this.held > 0) await this.shorten(bytes - this.given);
    this.given = Math.max(0, this.given - bytes);
  }

  /** Gives back all of it. Further calls do nothing. */
  async end(): Promise<void> {
    this.held = 0;
    this.access?.close();
    this.access = undefined;
    // It may be gone; and what cannot be removed now goes when the store is opened again.
    await this.folder.removeEntry(this.name).catch(() => undefined);
  }

  private lengthen(bytes: number): void {
    const access = this.access!;
    if (grows(access, bytes)) return;
    let [fits, tooMuch] = [0, bytes];
    while (tooMuch - fits > Math.max(PRECISION, fits / 100)) {
      const middle = Math.floor((fits + tooMuch) / 2);
      if (grows(access, middle)) fits = middle;
      else tooMuch = middle;
    }
    throw outOfStorage('the model', bytes, fits);
  }

  private async shorten(bytes: number): Promise<void> {
    const left = Math.max(0, this.held - Math.max(this.step, bytes));
    this.given += this.held - left;
    this.held = left;
    try {
      this.access?.truncate(left);
      this.access?.close();
      this.access = undefined;
      if (left === 0) return await this.end();
      const file = await this.folder.getFileHandle(this.name);
      this.access = await file.createSyncAccessHandle();
    } catch {
      // Without it, writing decides alone.
      await this.end();
    }
  }
}

/** Private windows of Chromium say nothing and leave a file as it is. */
function grows(access: AccessHandle, length: number): boolean {
  try {
    access.truncate(length);
  } catch (cause) {
    if (isOutOfStorage(cause)) return false;
    throw cause;
  }
  return access.getSize() >= length;
}

/** Removes what tabs have left that are gone. */
export async function removeReservations(root: OpfsFolder): Promise<void> {
  const folder = await ifThere(root.getDirectoryHandle(FOLDER));
  if (!folder) return;
  const names: string[] = [];
  for await (const [name] of folder.entries()) names.push(name);
  for (const name of names) {
    // One that is in use cannot be removed.
    await folder.removeEntry(name, { recursive: true }).catch(() => undefined);
  }
}
