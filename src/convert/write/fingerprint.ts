/** What tells one conversion from another, so that none goes on with another one's files. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { ConversionOptions } from '../options.ts';
import { type ModelParts, partsOf } from '../checkpoint/model-parts.ts';
import type { TensorSource } from '../checkpoint/tensors.ts';

/** Raised whenever the same model and settings come out as other bytes than before. */
const CONVERTER = 3;

/** Tensors of each part of which a row is looked at. */
const SAMPLES = 12;

/**
 * Digest of the settings, of the names, shapes and sizes of all weights, and of some of their
 * numbers: reading all of them would take as long as the conversion.
 */
export async function fingerprint(
  model: ModelParts,
  { quantization, segmentBytes }: ConversionOptions,
): Promise<string> {
  const hash = sha256.create();
  const add = (value: unknown): void => void hash.update(utf8ToBytes(`${JSON.stringify(value)}\n`));
  add([CONVERTER, quantization, segmentBytes ?? null]);
  add([model.configs, model.description, model.tokenizers, model.merged ?? []]);
  if (model.vocabulary !== undefined) add(model.vocabulary);
  for (const tensors of partsOf(model)) {
    add(tensors.where);
    for (const name of tensors.names()) {
      add([name, tensors.shape(name), tensors.storedBytes(name)]);
    }
    for (const name of spread([...tensors.names()], SAMPLES)) {
      if (isEmpty(tensors, name)) continue;
      const { buffer, byteOffset, byteLength } = await tensors.rows(name, 0, 1);
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return bytesToHex(hash.digest());
}

/** At most `count` of them, from the first to the last at equal distances. */
function spread(names: readonly string[], count: number): string[] {
  const step = Math.max(1, names.length / count);
  return Array.from(
    { length: Math.min(count, names.length) },
    (_, i) => names[Math.floor(i * step)]!,
  );
}

function isEmpty(tensors: TensorSource, name: string): boolean {
  return tensors.shape(name).includes(0);
}
