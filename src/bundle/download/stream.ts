/** A file with one hash for the whole of it: it is written as it comes and verified at its end. */
import type { RepairableFolder } from '../folder.ts';
import { PART_BYTES } from '../manifest.ts';
import { runningHash } from '../running-hash.ts';
import { damaged } from '../verify.ts';
import type { Receiver, RemoteFile } from './receive.ts';

export class StreamReceiver implements Receiver {
  position = 0;
  private hash = runningHash();
  private unflushed = 0;
  /** Whether all of it came from the server since this began. */
  private fresh = true;
  private failedBefore = false;

  private constructor(
    private readonly folder: RepairableFolder,
    private readonly file: RemoteFile,
    private readonly onPosition: (bytes: number) => void,
  ) {}

  /** Goes on after what the folder has; `position` is `end` if that is the whole file. */
  static async open(
    folder: RepairableFolder,
    file: RemoteFile,
    onPosition: (bytes: number) => void,
  ): Promise<StreamReceiver> {
    const receiver = new StreamReceiver(folder, file, onPosition);
    const { path, entry } = file;
    const there = await folder.size(path);
    if (there > entry.bytes) return receiver;
    for (let from = 0; from < there; from += PART_BYTES) {
      const bytes = await folder.read(path, from, Math.min(PART_BYTES, there - from));
      receiver.hash.update(bytes);
      receiver.moveTo(from + bytes.length);
    }
    receiver.fresh = there === 0;
    if (receiver.position === entry.bytes && !receiver.matches()) await receiver.startAgain();
    return receiver;
  }

  get end(): number {
    return this.file.entry.bytes;
  }

  async take(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { path } = this.file;
    if (this.position === 0) await this.folder.truncate(path, 0);
    await this.folder.append(path, bytes);
    this.hash.update(bytes);
    this.moveTo(this.position + bytes.length);
    this.unflushed += bytes.length;
    if (this.unflushed >= PART_BYTES || this.position === this.end) {
      await this.folder.flush();
      this.unflushed = 0;
    }
    if (this.position === this.end) await this.check();
  }

  forget(): Promise<void> {
    return this.startAgain();
  }

  /** One that comes damaged as a whole is asked for once more. */
  private async check(): Promise<void> {
    if (this.matches()) return;
    if (this.fresh && this.failedBefore) {
      const { path, entry } = this.file;
      throw damaged(`file ${path}`, this.hash.hex(), entry.sha256);
    }
    this.failedBefore = this.fresh;
    await this.startAgain();
  }

  private async startAgain(): Promise<void> {
    this.hash = runningHash();
    this.fresh = true;
    this.position = 0;
    await this.folder.truncate(this.file.path, 0);
  }

  private moveTo(position: number): void {
    this.position = position;
    this.onPosition(position);
  }

  private matches(): boolean {
    return this.hash.hex() === this.file.entry.sha256;
  }
}
