/** Hashes of a file that is written from its beginning to its end, as the manifest lists them. */
import { PART_BYTES } from './manifest.ts';
import { type NewHash, type RunningHash, runningHash } from './running-hash.ts';
import { sha256 } from './verify.ts';

export class FileHash {
  private readonly whole: RunningHash;
  private bytes = 0;
  private readonly finished: (string | Promise<string>)[] = [];
  private part: Part;

  /** @param newHash makes what hashes the whole file */
  constructor(private readonly newHash: NewHash = runningHash) {
    this.whole = newHash();
    this.part = new Part(newHash);
  }

  update(bytes: Uint8Array): void {
    this.whole.update(bytes);
    this.bytes += bytes.length;
    for (let from = 0; from < bytes.length;) {
      const piece = bytes.subarray(from, from + PART_BYTES - this.part.filled);
      this.part.add(piece);
      from += piece.length;
      if (this.part.filled === PART_BYTES) {
        this.finished.push(this.part.hash());
        this.part = new Part(this.newHash);
      }
    }
  }

  /** Of all bytes so far; more may follow. */
  hashes(): { bytes: number; sha256: string } {
    return { bytes: this.bytes, sha256: this.whole.hex() };
  }

  /** Of every PART_BYTES so far; the last part may be shorter. */
  parts(): Promise<string[]> {
    const { finished, part } = this;
    return Promise.all(part.filled > 0 ? [...finished, part.hash()] : finished);
  }

  /** Holds no bytes any more. More may follow, but the part that they are of takes longer. */
  rest(): void {
    this.part.rest();
  }
}

/** Its bytes are held until it is full: hashing them at once costs little, and runs beside all else. */
class Part {
  filled = 0;
  private held: Uint8Array<ArrayBuffer> | undefined;
  private running: RunningHash | undefined;

  constructor(private readonly newHash: NewHash) {}

  add(bytes: Uint8Array): void {
    if (this.running) this.running.update(bytes);
    else (this.held ??= new Uint8Array(PART_BYTES)).set(bytes, this.filled);
    this.filled += bytes.length;
  }

  rest(): void {
    if (!this.held) return;
    this.running = this.newHash();
    this.running.update(this.held.subarray(0, this.filled));
    this.held = undefined;
  }

  /** Later, unless it rests. */
  hash(): string | Promise<string> {
    return this.running?.hex() ?? sha256(this.held!.subarray(0, this.filled));
  }
}
