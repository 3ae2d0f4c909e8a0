/** Hashes and counts what passes through to another sink. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Manifest } from '../bundle/manifest.ts';
import type { Sink } from './files.ts';

export class HashingSink implements Sink {
  private readonly entries = new Map<
    string,
    { bytes: number; hash: ReturnType<typeof sha256.create> }
  >();

  constructor(private readonly target: Sink) {}

  async append(path: string, bytes: Uint8Array): Promise<void> {
    const entry = this.entries.get(path) ?? { bytes: 0, hash: sha256.create() };
    this.entries.set(path, entry);
    entry.bytes += bytes.length;
    entry.hash.update(bytes);
    await this.target.append(path, bytes);
  }

  /** Every file so far, as the manifest lists them. */
  files(): Manifest['files'] {
    return Object.fromEntries(
      [...this.entries].map(([path, { bytes, hash }]) => [
        path,
        { bytes, sha256: bytesToHex(hash.clone().digest()) },
      ]),
    );
  }
}
