/** Whatever shapes a checkpoint's tensors have, opening it ends in a model or in an AppError. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import { MemoryFiles, safetensorsFile } from './memory.ts';
import { bflTransformer, clip, ldmAutoencoder, t5, tinyDecoder } from './models.ts';
import type { MemoryTensors } from './tensors.ts';

const TOKENIZERS = Object.fromEntries(
  ['tokenizer', 'tokenizer_2'].map((folder) => {
    const path = `${folder}/tokenizer.json`;
    return [path, readFileSync(`training/pocket/${path}`, 'utf8')];
  }),
);

const PARTS: readonly MemoryTensors[] = [
  bflTransformer({ guidance: true }),
  t5(),
  clip(),
  ldmAutoencoder(),
  tinyDecoder(),
];
const NAMES = PARTS.flatMap((part) => [...part.names()]);
const MATRICES = NAMES.filter((name) => name.endsWith('.weight') && !name.includes('norm'));

/** One file with everything; a type that is not known has no size that a shape must agree with. */
function fileOf(changes: ReadonlyMap<string, readonly number[] | undefined>): MemoryFiles {
  const header: Record<string, unknown> = {};
  for (const part of PARTS) {
    for (const name of part.names()) {
      const shape = changes.has(name) ? changes.get(name) : part.shape(name);
      if (shape) header[name] = { dtype: 'X', shape, data_offsets: [0, 0] };
    }
  }
  return new MemoryFiles({
    'all.safetensors': safetensorsFile(header, new Uint8Array()),
    ...TOKENIZERS,
  });
}

async function opens(files: MemoryFiles): Promise<boolean> {
  try {
    const { transformer } = await openModel(files);
    for (const name of transformer.names()) {
      expect(transformer.shape(name).every((size) => size >= 0)).toBe(true);
      expect(transformer.storedBytes(name)).toBe(0);
    }
    return true;
  } catch (error) {
    if (error instanceof AppError && ['bad-checkpoint', 'not-found'].includes(error.code)) {
      return false;
    }
    throw error;
  }
}

test('the file as it is opens', async () => {
  expect(await opens(fileOf(new Map()))).toBe(true);
});

test('tensors of other shapes, and without some', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(200), fc.constantFrom(2 ** 20, 2 ** 31)), {
    maxLength: 4,
  });
  const shape = fc.option(sizes, { nil: undefined });
  const changes = fc.array(fc.tuple(fc.constantFrom(...NAMES), shape), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(changes, async (list) => void (await opens(fileOf(new Map(list))))),
    { numRuns: 300 },
  );
});

test('the tensors that sizes are taken from, each changed alone', async () => {
  for (const name of MATRICES) {
    for (const shape of [undefined, [], [0], [7, 5], [64, 2 ** 31]]) {
      await opens(fileOf(new Map([[name, shape]])));
    }
  }
});
