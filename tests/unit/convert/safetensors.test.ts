import { expect, test } from 'vitest';
import { openCheckpoint, openFile } from '../../../src/convert/checkpoint/safetensors.ts';
import { expectShape } from '../../../src/convert/checkpoint/tensors.ts';
import { MemoryFiles, safetensorsFile } from './memory.ts';

const bytesOf = (...parts: ArrayBufferView[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) => [...new Uint8Array(part.buffer, part.byteOffset, part.byteLength)]),
  );

const folderWith = (files: Record<string, Uint8Array | string>): MemoryFiles =>
  new MemoryFiles(files);

const single = (header: unknown, data: Uint8Array = new Uint8Array(64)): MemoryFiles =>
  folderWith({ 'part/model.safetensors': safetensorsFile(header, data) });

test('reads the number types, at any alignment', async () => {
  const data = bytesOf(
    Uint16Array.of(0x3c00, 0xc000, 0x3800),
    Float32Array.of(1.5, -2.25),
    Uint16Array.of(0x3f80),
    Uint8Array.of(0x38, 0xb8, 0x01, 0x7e, 0xff),
    Uint8Array.of(0x3c, 0xc0),
    Uint16Array.of(0x4000, 0x4200),
  );
  const source = single(
    {
      __metadata__: { format: 'pt' },
      half: { dtype: 'F16', shape: [3], data_offsets: [0, 6] },
      full: { dtype: 'F32', shape: [1, 2], data_offsets: [6, 14] },
      brain: { dtype: 'BF16', shape: [], data_offsets: [14, 16] },
      eight: { dtype: 'F8_E4M3', shape: [5], data_offsets: [16, 21] },
      wide: { dtype: 'F8_E5M2', shape: [2], data_offsets: [21, 23] },
      odd: { dtype: 'F16', shape: [2], data_offsets: [23, 27] },
    },
    data,
  );
  const checkpoint = await openCheckpoint(source, 'part', 'model');
  expect([...(await checkpoint.read('half'))]).toEqual([1, -2, 0.5]);
  expect([...(await checkpoint.read('full'))]).toEqual([1.5, -2.25]);
  expect([...(await checkpoint.read('brain'))]).toEqual([1]);
  expect([...(await checkpoint.read('eight'))]).toEqual([1, -1, 2 ** -9, 448, NaN]);
  expect([...(await checkpoint.read('wide'))]).toEqual([1, -2]);
  expect([...(await checkpoint.read('odd'))]).toEqual([2, 3]);
  expect([...checkpoint.names()]).toEqual(['half', 'full', 'brain', 'eight', 'wide', 'odd']);
  expect(checkpoint.metadata.get('format')).toBe('pt');
  expect(checkpoint.storedBytes('half')).toBe(6);
});

test('reads just the rows that are asked for', async () => {
  const source = single(
    { a: { dtype: 'F32', shape: [1000, 2, 2], data_offsets: [0, 16_000] } },
    bytesOf(Float32Array.from({ length: 4000 }, (_, i) => i)),
  );
  const checkpoint = await openFile(source, 'part/model.safetensors');
  source.longestRead = 0;
  expect([...(await checkpoint.rows('a', 10, 12))]).toEqual([40, 41, 42, 43, 44, 45, 46, 47]);
  expect(source.longestRead).toBe(32);
  expect(await checkpoint.rows('a', 1000, 1000)).toHaveLength(0);
  await expect(checkpoint.rows('a', 10, 1001)).rejects.toThrow(RangeError);
});

test('reads no more of the file than the tensor', async () => {
  const source = single(
    { a: { dtype: 'F32', shape: [2], data_offsets: [400_000, 400_008] } },
    new Uint8Array(1_000_000),
  );
  const checkpoint = await openCheckpoint(source, 'part', 'model');
  await checkpoint.read('a');
  expect(source.longestRead).toBeLessThan(1000);
});

test('finds the tensors of a sharded checkpoint', async () => {
  const shard = (name: string, value: number): Uint8Array =>
    safetensorsFile(
      { [name]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } },
      bytesOf(Float32Array.of(value)),
    );
  const source = folderWith({
    'part/model.safetensors.index.json': JSON.stringify({
      weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' },
    }),
    'part/model-1.safetensors': shard('a', 7),
    'part/model-2.safetensors': shard('b', 8),
  });
  const checkpoint = await openCheckpoint(source, 'part', 'model');
  expect([...(await checkpoint.read('b'))]).toEqual([8]);
});

test.each<[string, Record<string, unknown>, string]>([
  ['offsets past the end', { dtype: 'F32', shape: [2], data_offsets: [60, 68] }, 'a.data_offsets'],
  ['offsets the wrong way', { dtype: 'F32', shape: [2], data_offsets: [8, 0] }, 'a.data_offsets'],
  ['negative offsets', { dtype: 'F32', shape: [2], data_offsets: [-8, 0] }, 'a.data_offsets'],
  ['shape and bytes apart', { dtype: 'F16', shape: [2], data_offsets: [0, 8] }, 'a: shape'],
  ['a size that is no number', { dtype: 'F16', shape: ['2'], data_offsets: [0, 4] }, 'a.shape'],
  ['no dtype', { shape: [2], data_offsets: [0, 4] }, 'a.dtype'],
  ['too many axes', { dtype: 'U8', shape: Array(9).fill(1), data_offsets: [0, 1] }, 'a.shape'],
  [
    'sizes whose product is no safe integer',
    { dtype: 'U8', shape: [2 ** 30, 2 ** 30, 0, 3], data_offsets: [0, 0] },
    'a.shape',
  ],
])('refuses %s, naming file and field', async (_, entry, field) => {
  const opening = openCheckpoint(single({ a: entry }), 'part', 'model');
  await expect(opening).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: expect.stringMatching(new RegExp(`^part/model\\.safetensors: .*${field}`)) as string,
  });
});

test('refuses tensors that overlap, naming both', async () => {
  const source = single({
    late: { dtype: 'F16', shape: [4], data_offsets: [6, 14] },
    early: { dtype: 'F16', shape: [4], data_offsets: [0, 8] },
    empty: { dtype: 'F16', shape: [0], data_offsets: [7, 7] },
  });
  await expect(openCheckpoint(source, 'part', 'model')).rejects.toThrow('early and late overlap');
});

test.each([
  ['a header that is no JSON', safetensorsFile('{"a":', new Uint8Array())],
  ['a header that is no text', safetensorsFile(Uint8Array.of(0x22, 0xff, 0x22), new Uint8Array())],
  ['metadata that are no object', safetensorsFile({ __metadata__: [] }, new Uint8Array())],
  ['a header that is a list', safetensorsFile('[]', new Uint8Array())],
  ['a header longer than the file', Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 123, 125)],
  ['a header of absurd length', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255, 123, 125)],
  ['a file shorter than a header', Uint8Array.of(1, 2, 3)],
])('refuses %s', async (_, file) => {
  const opening = openCheckpoint(folderWith({ 'part/model.safetensors': file }), 'part', 'model');
  await expect(opening).rejects.toMatchObject({ code: 'bad-checkpoint' });
});

test('refuses another shape than asked for, other types and unknown names', async () => {
  const source = single({
    a: { dtype: 'F16', shape: [2, 2], data_offsets: [0, 8] },
    packed: { dtype: 'U8', shape: [8], data_offsets: [8, 16] },
  });
  const checkpoint = await openCheckpoint(source, 'part', 'model');
  expect(() => expectShape(checkpoint, 'a', [4])).toThrow('shape [2, 2], expected [4]');
  expect(() => expectShape(checkpoint, 'b', [4])).toThrow('no tensor b');
  await expect(checkpoint.read('packed')).rejects.toThrow('packed is stored as U8');
  await expect(checkpoint.read('b')).rejects.toThrow('no tensor b');
});

test('refuses an index that points nowhere', async () => {
  const index = (map: unknown): MemoryFiles =>
    folderWith({
      'part/model.safetensors.index.json': JSON.stringify({ weight_map: map }),
      'part/one.safetensors': safetensorsFile({}, new Uint8Array()),
    });
  for (const map of [undefined, { a: '../one.safetensors' }, { a: 'one.safetensors' }]) {
    await expect(openCheckpoint(index(map), 'part', 'model')).rejects.toMatchObject({
      code: 'bad-checkpoint',
    });
  }
});

test('says which file is missing', async () => {
  await expect(openCheckpoint(new MemoryFiles(), 'part', 'model')).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('part/model.safetensors') as string,
  });
});
