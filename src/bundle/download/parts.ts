/** A file of which every part has a hash: nothing is written before it is verified. */
import { AppError } from '../../shared/errors.ts';
import type { RepairableFolder } from '../folder.ts';
import { PART_BYTES } from '../manifest.ts';
import { verifyPart } from '../verify.ts';
import type { Receiver, RemoteFile } from './receive.ts';

export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * What is missing of a file, or damaged, in order; neighbouring parts are one range.
 * @param onVerified told of the bytes that are there
 */
export async function missingParts(
  folder: RepairableFolder,
  { path, entry }: RemoteFile,
  parts: readonly string[],
  onVerified: (bytes: number) => void,
): Promise<Range[]> {
  const there = Math.min(await folder.size(path), entry.bytes);
  const missing: { from: number; to: number }[] = [];
  let verified = 0;
  for (let i = 0; i < parts.length; i++) {
    const from = i * PART_BYTES;
    const to = Math.min(from + PART_BYTES, entry.bytes);
    if (to <= there && (await isGood(await readPart(folder, path, from, to), i))) {
      onVerified((verified += to - from));
    } else if (missing.at(-1)?.to === from) missing.at(-1)!.to = to;
    else missing.push({ from, to });
  }
  return missing;

  async function isGood(bytes: Uint8Array<ArrayBuffer>, index: number): Promise<boolean> {
    return verifyPart(path, index, bytes, parts).then(
      () => true,
      (cause: unknown) => {
        // Of an empty file nothing else can be fetched.
        if (!(cause instanceof AppError) || cause.code !== 'bad-bundle' || entry.bytes === 0) {
          throw cause;
        }
        return false;
      },
    );
  }
}

/** An empty file has one part, which is there even before the file is. */
function readPart(
  folder: RepairableFolder,
  path: string,
  from: number,
  to: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return from === to ? Promise.resolve(new Uint8Array(0)) : folder.read(path, from, to - from);
}

/** Takes whole parts of a range, each of which is asked for twice if it comes damaged. */
export class PartsReceiver implements Receiver {
  readonly end: number;
  private readonly part: Uint8Array<ArrayBuffer>;
  private start: number;
  private filled = 0;
  private failedBefore = false;

  constructor(
    private readonly folder: RepairableFolder,
    private readonly file: RemoteFile,
    private readonly hashes: readonly string[],
    { from, to }: Range,
    private readonly onVerified: (bytes: number) => void,
  ) {
    this.start = from;
    this.end = to;
    this.part = new Uint8Array(Math.min(PART_BYTES, to - from));
  }

  get position(): number {
    return this.start + this.filled;
  }

  async take(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(PART_BYTES, this.end - this.start);
      const piece = bytes.subarray(done, done + length - this.filled);
      this.part.set(piece, this.filled);
      this.filled += piece.length;
      done += piece.length;
      if (this.filled === length && !(await this.finishPart(length))) return;
    }
  }

  forget(): Promise<void> {
    this.filled = 0;
    return Promise.resolve();
  }

  /** False if the part has to come again. */
  private async finishPart(length: number): Promise<boolean> {
    const { path } = this.file;
    const part = this.part.subarray(0, length);
    this.filled = 0;
    try {
      await verifyPart(path, this.start / PART_BYTES, part, this.hashes);
    } catch (cause) {
      if (this.failedBefore) throw cause;
      this.failedBefore = true;
      return false;
    }
    this.failedBefore = false;
    if (this.start < (await this.folder.size(path))) {
      await this.folder.replace(path, this.start, part);
    } else await this.folder.append(path, part);
    await this.folder.flush();
    this.start += length;
    this.onVerified(length);
    return true;
  }
}
