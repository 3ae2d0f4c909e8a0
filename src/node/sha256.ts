/** Node's own SHA-256, which uses the processor's instructions for it. */
import { createHash } from 'node:crypto';
import type { RunningHash } from '../bundle/running-hash.ts';

export function nodeSha256(): RunningHash {
  const hash = createHash('sha256');
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.copy().digest('hex'),
  };
}
