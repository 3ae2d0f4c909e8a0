/** Node's own SHA-256, which uses the processor's instructions for it. */
import { createHash } from 'node:crypto';
import type { StreamingSha256 } from '../src/bundle/file-hash.ts';

export function nodeSha256(): StreamingSha256 {
  const hash = createHash('sha256');
  return {
    update: (bytes) => void hash.update(bytes),
    hex: () => hash.copy().digest('hex'),
  };
}
