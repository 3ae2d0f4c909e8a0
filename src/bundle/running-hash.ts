/** SHA-256 of bytes as they go by. Of bytes that are there at once `sha256` of verify.ts is five times as fast. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** Of all bytes so far, in lower-case hexadecimal; more may follow. */
  hex(): string;
}

export type NewHash = () => RunningHash;

/** Runs everywhere: browsers have none of their own. */
export function runningHash(): RunningHash {
  const hash = sha256.create();
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => bytesToHex(hash.clone().digest()),
  };
}
