/** Whatever a file holds, reading it ends in tensors or in an AppError, and reads no more than there is. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import type { Source } from '../../../src/convert/files.ts';
import {
  openCheckpoint,
  openFile,
  type Checkpoint,
} from '../../../src/convert/checkpoint/safetensors.ts';
import { readAll } from '../../../src/convert/checkpoint/tensors.ts';
import { MemoryFiles, safetensorsFile } from './memory.ts';

const PATH = 'part/model.safetensors';
const INDEX = `${PATH}.index.json`;

/** Fails on any read that does not lie inside its file, before anything is allocated for it. */
class StrictFiles extends MemoryFiles {
  override async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const size = await this.size(path);
    for (const number of [offset, length, offset + length]) {
      if (!Number.isSafeInteger(number) || number < 0 || number > size) {
        throw new Error(`read of ${length} bytes at ${offset} of ${size}`);
      }
    }
    return super.read(path, offset, length);
  }
}

/** Opens and reads everything. Any error but an AppError makes the test fail. */
async function readEverything(open: () => Promise<Checkpoint>): Promise<void> {
  try {
    const checkpoint = await open();
    for (const name of checkpoint.names()) {
      const values = await readAll(checkpoint, name).catch(tolerate);
      const numbers = checkpoint.shape(name).reduce((product, size) => product * size, 1);
      if (values) expect(values.length).toBe(numbers);
    }
  } catch (error) {
    tolerate(error);
  }
}

function tolerate(error: unknown): undefined {
  if (error instanceof AppError && ['bad-checkpoint', 'not-found'].includes(error.code)) return;
  throw error;
}

const readFile = (file: Uint8Array): Promise<void> =>
  readEverything(() => openFile(new StrictFiles({ [PATH]: file }), PATH));

const validFile = safetensorsFile(
  {
    __metadata__: { format: 'pt' },
    'a.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    b: { dtype: 'BF16', shape: [], data_offsets: [24, 26] },
    c: { dtype: 'F8_E4M3', shape: [2, 1], data_offsets: [26, 28] },
  },
  new Uint8Array(28).fill(60),
);

const bytes = fc.uint8Array({ maxLength: 64 });
const number = fc.oneof(
  fc.integer({ min: -2, max: 40 }),
  fc.double(),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53, 1e308, -0),
);
const dtype = fc.constantFrom('F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2', 'I64', 'X', 'toString');
const entry = fc.record(
  {
    dtype: fc.oneof(dtype, fc.jsonValue()),
    shape: fc.oneof(fc.array(number, { maxLength: 10 }), fc.jsonValue()),
    data_offsets: fc.oneof(fc.tuple(number, number), fc.jsonValue()),
  },
  { requiredKeys: [] },
);
const name = fc.oneof(fc.string(), fc.constantFrom('__metadata__', '__proto__', 'constructor'));

test('valid files with some bytes changed, cut or added', async () => {
  const change = fc.tuple(fc.nat(validFile.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.array(change),
      fc.nat(validFile.length),
      bytes,
      async (changes, cut, more) => {
        const file = validFile.slice();
        for (const [at, byte] of changes) file[at] = byte;
        await readFile(file);
        await readFile(file.subarray(0, cut));
        await readFile(Uint8Array.from([...file, ...more]));
      },
    ),
    { numRuns: 500 },
  );
});

test('arbitrary bytes, and arbitrary JSON as a header', async () => {
  await fc.assert(fc.asyncProperty(bytes, readFile));
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), bytes, (header, data) =>
      readFile(safetensorsFile(header, data)),
    ),
  );
});

test('headers that are almost right', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, entry), bytes, (header, data) =>
      readFile(safetensorsFile(header, data)),
    ),
    { numRuns: 1000 },
  );
});

test('headers that are right, with any shapes', async () => {
  const shape = fc.array(fc.nat(5), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(shape, { maxLength: 5 }), async (shapes) => {
      let end = 0;
      const header: Record<string, object> = {};
      for (const [i, sizes] of shapes.entries()) {
        const begin = end;
        end += 2 * sizes.reduce((product, size) => product * size, 1);
        header[`t${i}`] = { dtype: 'F16', shape: sizes, data_offsets: [begin, end] };
      }
      const source: Source = new StrictFiles({
        [PATH]: safetensorsFile(header, new Uint8Array(end)),
      });
      const checkpoint = await openFile(source, PATH);
      for (const [i, sizes] of shapes.entries()) {
        const values = await readAll(checkpoint, `t${i}`);
        expect(values).toHaveLength(sizes.reduce((product, size) => product * size, 1));
      }
    }),
  );
});

test('arbitrary lengths of a header', async () => {
  await fc.assert(
    fc.asyncProperty(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), bytes, async (length, rest) => {
      const file = new Uint8Array(8 + rest.length);
      new DataView(file.buffer).setBigUint64(0, length, true);
      file.set(rest, 8);
      await readFile(file);
    }),
  );
});

test('arbitrary JSON as an index', async () => {
  const shard = fc.oneof(
    fc.constantFrom('model.safetensors', 'none.safetensors', '..', '../part/model.safetensors'),
    fc.jsonValue(),
  );
  const index = fc.oneof(
    fc.record({ weight_map: fc.dictionary(fc.oneof(name, fc.constant('b')), shard) }),
    fc.jsonValue(),
  );
  await fc.assert(
    fc.asyncProperty(index, (json) => {
      const files = { [PATH]: validFile, [INDEX]: JSON.stringify(json) };
      return readEverything(() => openCheckpoint(new StrictFiles(files), 'part', 'model'));
    }),
    { numRuns: 500 },
  );
});
