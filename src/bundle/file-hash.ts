/** Hashes of a file that is written from its beginning to its end, as the manifest lists them. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { PART_BYTES } from './manifest.ts';

type Hash = ReturnType<typeof sha256.create>;

export interface FileHashes {
  readonly bytes: number;
  /** Of the whole file, lower-case hexadecimal. */
  readonly sha256: string;
  /** Of every PART_BYTES; the last part may be shorter. */
  readonly parts: string[];
}

export class FileHash {
  private whole = sha256.create();
  private part = sha256.create();
  private partBytes = 0;
  private readonly finished: string[] = [];
  private total = 0;

  update(bytes: Uint8Array): void {
    this.whole.update(bytes);
    this.total += bytes.length;
    for (let from = 0; from < bytes.length;) {
      const piece = bytes.subarray(from, from + PART_BYTES - this.partBytes);
      this.part.update(piece);
      this.partBytes += piece.length;
      from += piece.length;
      if (this.partBytes === PART_BYTES) this.endPart();
    }
  }

  /** Of all bytes so far; more may follow. */
  hashes(): FileHashes {
    const parts = [...this.finished];
    if (this.partBytes > 0) parts.push(hexOf(this.part));
    return { bytes: this.total, sha256: hexOf(this.whole), parts };
  }

  private endPart(): void {
    this.finished.push(hexOf(this.part));
    this.part = sha256.create();
    this.partBytes = 0;
  }
}

function hexOf(hash: Hash): string {
  return bytesToHex(hash.clone().digest());
}
