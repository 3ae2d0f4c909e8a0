/** Hashes of a file that is written from its beginning to its end, as the manifest lists them. */
import { PART_BYTES } from './manifest.ts';
import { RunningHash } from './running-hash.ts';
import { sha256 } from './verify.ts';

export class FileHash {
  private readonly whole = new RunningHash();
  private bytes = 0;
  private readonly finished: (string | Promise<string>)[] = [];
  private part = new Part();

  update(bytes: Uint8Array): void {
    this.whole.update(bytes);
    this.bytes += bytes.length;
    for (let from = 0; from < bytes.length;) {
      const piece = bytes.subarray(from, from + PART_BYTES - this.part.filled);
      this.part.add(piece);
      from += piece.length;
      if (this.part.filled === PART_BYTES) {
        this.finished.push(this.part.hash());
        this.part = new Part();
      }
    }
  }

  /** Of all bytes so far; more may follow. */
  hashes(): { bytes: number; sha256: string } {
    return { bytes: this.bytes, sha256: this.whole.hex() };
  }

  /** Of every PART_BYTES so far; the last part may be shorter. */
  parts(): Promise<string[]> {
    return Promise.all(
      this.part.filled > 0 ? [...this.finished, this.part.hash()] : this.finished,
    );
  }

  /** Holds no bytes any more. More may follow, but it should be little. */
  rest(): void {
    this.part.rest();
  }
}

/** Its bytes are held, since hashing them at once, beside all else, costs next to nothing. */
class Part {
  filled = 0;
  private held: Uint8Array<ArrayBuffer> | undefined;
  private running: RunningHash | undefined;

  add(bytes: Uint8Array): void {
    if (this.running) this.running.update(bytes);
    else (this.held ??= new Uint8Array(PART_BYTES)).set(bytes, this.filled);
    this.filled += bytes.length;
  }

  rest(): void {
    if (!this.held) return;
    this.running = new RunningHash();
    this.running.update(this.held.subarray(0, this.filled));
    this.held = undefined;
  }

  hash(): string | Promise<string> {
    return this.running?.hex() ?? sha256(this.held!.subarray(0, this.filled));
  }
}
