/** What tells one conversion from another, so that none goes on with another one's files. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { ConversionOptions } from './convert.ts';
import { type ModelParts, partsOf } from './model-parts.ts';

/** Raised whenever the same model and settings come out as other bytes than before. */
const CONVERTER = 2;

/**
 * Digest of the names, shapes and sizes of all weights, and of the settings. The weights
 * themselves are not read: that would take as long as the conversion.
 */
export function fingerprint(model: ModelParts, options: ConversionOptions): string {
  const { quantization, segmentBytes = null } = options;
  const hash = sha256.create();
  const add = (value: unknown): void => void hash.update(utf8ToBytes(`${JSON.stringify(value)}\n`));
  add([CONVERTER, quantization, segmentBytes]);
  add([model.configs, model.description, model.tokenizers]);
  for (const tensors of partsOf(model)) {
    add(tensors.where);
    for (const name of tensors.names()) {
      add([name, tensors.shape(name), tensors.storedBytes(name)]);
    }
  }
  return bytesToHex(hash.digest());
}
