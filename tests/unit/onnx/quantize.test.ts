import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/onnx/builder.ts';
import { fromHalf } from '../../../src/half.ts';
import {
  absmaxScale,
  bestScale,
  BLOCK,
  dequantizeMatrix,
  quantizeMatrix,
  squaredError,
  type Bits,
} from '../../../src/onnx/quantize.ts';
import { DataFile } from '../../../src/onnx/weights.ts';
import { ortCpu } from '../../../tools/node-ort.ts';
import { MemoryFiles } from './memory.ts';

const bits = fc.constantFrom<Bits>(4, 8);
/** Weights as they occur: half precision's normal range, zeros, and blocks of one outlier. */
const weight = fc.oneof(
  fc.float({ min: -4, max: 4, noNaN: true }),
  fc.constant(0),
  fc.constantFrom(-300, 300, 1e-3, -1e-3),
);
const block = fc
  .array(weight, { minLength: BLOCK, maxLength: BLOCK })
  .map((w) => Float32Array.from(w));

test('no weight is off by more than a half step, unless it is clipped', () => {
  fc.assert(
    fc.property(block, bits, (weights, bits) => {
      const matrix = quantizeMatrix(weights, 1, BLOCK, bits);
      const scale = Math.abs(fromHalf(matrix.scales[0]!));
      const restored = dequantizeMatrix(matrix);
      const reach = scale * (2 ** (bits - 1) - 1);
      for (const [i, value] of weights.entries()) {
        if (Math.abs(value) > reach) continue;
        expect(Math.abs(restored[i]! - value)).toBeLessThanOrEqual(scale / 2 + 1e-6);
      }
    }),
  );
});

test('the search is never worse than the absmax scale', () => {
  fc.assert(
    fc.property(block, bits, (weights, bits) => {
      const searched = squaredError(weights, bestScale(weights, bits), bits);
      const usual = squaredError(weights, absmaxScale(weights, bits), bits);
      expect(searched).toBeLessThanOrEqual(usual);
    }),
  );
});

test('the search pays on weights of a normal distribution', () => {
  const weights = normal(64 * BLOCK);
  let searched = 0;
  let usual = 0;
  for (let i = 0; i < weights.length; i += BLOCK) {
    const values = weights.subarray(i, i + BLOCK);
    searched += squaredError(values, bestScale(values, 4), 4);
    usual += squaredError(values, absmaxScale(values, 4), 4);
  }
  expect(searched).toBeLessThan(0.85 * usual);
});

test('blocks of zeros stay zero', () => {
  const matrix = quantizeMatrix(new Float32Array(2 * BLOCK), 2, BLOCK, 4);
  expect([...dequantizeMatrix(matrix)]).toEqual(Array.from({ length: 2 * BLOCK }, () => 0));
});

test('two codes share a byte, the first in its low half', () => {
  // Both levels are exact: -8 is code 0, 7 is code 15.
  const weights = new Float32Array(BLOCK);
  weights[0] = -8;
  weights[1] = 7;
  const { packed, scales } = quantizeMatrix(weights, 1, BLOCK, 4);
  expect(fromHalf(scales[0]!)).toBe(1);
  expect(packed[0]).toBe(0xf0);
  expect(packed[1]).toBe(0x88);
});

test('refuses rows that are not whole blocks', () => {
  expect(() => quantizeMatrix(new Float32Array(40), 1, 40, 4)).toThrow(RangeError);
});

/** MatMulNBits with the identity gives back the matrix that the runtime unpacked. */
test.each<[Bits]>([[4], [8]])('ONNX Runtime unpacks %i bits the same way', async (bits) => {
  const [rows, columns] = [5, 3 * BLOCK];
  const matrix = quantizeMatrix(normal(rows * columns), rows, columns, bits);
  const memory = new MemoryFiles();
  const file = new DataFile(memory, 'weights.data');
  const blob = (BLOCK * bits) / 8;
  const packed = await file.add('codes', 'uint8', [rows, 3, blob], matrix.packed);
  const scales = await file.add('scales', 'float16', [rows, 3], matrix.scales);
  const graph = new GraphBuilder('unpack', 'float32');
  const x = graph.input('x', 'float32', ['N', columns]);
  const y = graph.op('MatMulNBits', [x, graph.weight(packed), graph.weight(scales)], {
    K: columns,
    N: rows,
    bits,
    block_size: BLOCK,
  });
  graph.output('y', 'float32', ['N', rows], y);

  const { ort } = await ortCpu();
  const session = await ort.InferenceSession.create(graph.encode(), {
    executionProviders: ['wasm'],
    externalData: [{ path: 'weights.data', data: memory.files.get('weights.data')! }],
  });
  const identity = new Float32Array(columns * columns);
  for (let i = 0; i < columns; i++) identity[i * columns + i] = 1;
  const feed = new ort.Tensor('float32', identity, [columns, columns]);
  const result = (await session.run({ x: feed }))['y']!.data as Float32Array;
  await session.release();
  const expected = dequantizeMatrix(matrix);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      expect(result[column * rows + row]).toBeCloseTo(expected[row * columns + column]!, 5);
    }
  }
});

beforeAll(async () => {
  const { ort } = await ortCpu();
  ort.env.wasm.numThreads = 1;
});

/** Numbers of a normal distribution, the same ones every time. */
function normal(count: number): Float32Array {
  let state = 1;
  const uniform = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}
