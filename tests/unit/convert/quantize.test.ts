import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { fromHalf, numbersOf, toHalf } from '../../../src/shared/half.ts';
import { GraphBuilder, type StoredTensor } from '../../../src/convert/graphs/builder.ts';
import {
  type Bits,
  BLOCK,
  dequantizeRows,
  SHRINKS,
} from '../../../src/convert/quantize/quantize.ts';
import { cpuQuantizer } from '../../../src/convert/quantize/quantizer.ts';
import { ortCpu } from '../../../src/node/ort.ts';
import { gaussianWeights } from '../support/weights.ts';

const { quantize } = cpuQuantizer();
const bits = fc.constantFrom<Bits>(4, 8);
/** Weights as they occur: half precision's normal range, zeros, and blocks of one outlier. */
const weight = fc.oneof(
  fc.float({ min: -4, max: 4, noNaN: true }),
  fc.constant(0),
  fc.constantFrom(-300, 300, 1e-3, -1e-3),
);
/** Whatever a block can hold, however small. */
const anyWeight = fc.float({ min: -458_000, max: 458_000, noNaN: true });
const block = fc
  .array(weight, { minLength: BLOCK, maxLength: BLOCK })
  .map((w) => Float32Array.from(w));

/** The search in plain words, for one block. */
function plainScale(values: readonly number[], bits: Bits): number {
  const extreme = extremeOf(values);
  const top = 2 ** (bits - 1) - 1;
  let bestExplained = 0;
  let found = 0;
  for (const reach of [-top - 1, top]) {
    for (const shrink of SHRINKS[bits]) {
      const levels = values.map((value) => level(value, (extreme / reach) * shrink, top));
      const dot = levels.reduce((sum, q, i) => sum + values[i]! * q, 0);
      const norm = levels.reduce((sum, q) => sum + q * q, 0);
      if (dot * dot > bestExplained * norm) {
        bestExplained = (dot * dot) / norm;
        found = dot / norm;
      }
    }
  }
  const usual = absmaxScale(values, bits);
  const searched = toHalf(found);
  const isBetter = squaredError(values, searched, bits) < squaredError(values, usual, bits);
  return isBetter ? searched : usual;
}

function squaredError(values: readonly number[], scaleBits: number, bits: Bits): number {
  const scale = fromHalf(scaleBits);
  const top = 2 ** (bits - 1) - 1;
  return values.reduce((sum, value) => sum + (value - scale * level(value, scale, top)) ** 2, 0);
}

/** The scale that maps the largest magnitude to the largest level. */
function absmaxScale(values: readonly number[], bits: Bits): number {
  return toHalf(Math.abs(extremeOf(values)) / (2 ** (bits - 1) - 1));
}

function extremeOf(values: readonly number[]): number {
  return values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
}

function level(value: number, scale: number, top: number): number {
  const inverse = scale === 0 ? 0 : 1 / scale;
  return Math.max(-top - 1, Math.min(top, Math.floor(value * inverse + 0.5)));
}

test('finds the scales that the plain search finds, bit for bit', async () => {
  const weights = fc.oneof(weight, anyWeight);
  const rows = fc.array(fc.array(weights, { minLength: BLOCK, maxLength: BLOCK }), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(rows, bits, async (rows, bits) => {
      const { scales } = await quantize(Float32Array.from(rows.flat()), rows.length, BLOCK, bits);
      expect([...scales]).toEqual(rows.map((values) => plainScale(values, bits)));
    }),
  );
});

test('no weight is off by more than a half step, unless it is clipped', async () => {
  await fc.assert(
    fc.asyncProperty(block, bits, async (weights, bits) => {
      const matrix = await quantize(weights, 1, BLOCK, bits);
      const scale = Math.abs(fromHalf(matrix.scales[0]!));
      const restored = dequantizeRows(matrix, bits);
      const reach = scale * (2 ** (bits - 1) - 1);
      for (const [i, value] of weights.entries()) {
        if (Math.abs(value) > reach) continue;
        expect(Math.abs(restored[i]! - value)).toBeLessThanOrEqual(scale / 2 + 1e-6);
      }
    }),
  );
});

test('the search is never worse than the absmax scale', async () => {
  await fc.assert(
    fc.asyncProperty(block, bits, async (weights, bits) => {
      const { scales } = await quantize(weights, 1, BLOCK, bits);
      const usual = squaredError([...weights], absmaxScale([...weights], bits), bits);
      expect(squaredError([...weights], scales[0]!, bits)).toBeLessThanOrEqual(usual);
    }),
  );
});

test('says how far the matrix is off, and how long it is', async () => {
  await fc.assert(
    fc.asyncProperty(block, bits, async (weights, bits) => {
      const matrix = await quantize(weights, 1, BLOCK, bits);
      const restored = dequantizeRows(matrix, bits);
      const error = weights.reduce((sum, value, i) => sum + (value - restored[i]!) ** 2, 0);
      const norm = weights.reduce((sum, value) => sum + value ** 2, 0);
      // `restored` is rounded to float32.
      expect(Math.abs(matrix.squaredError - error)).toBeLessThanOrEqual(1e-6 * (error + norm));
      expect(matrix.squaredNorm).toBeCloseTo(norm, 6);
    }),
  );
});

test('of a normal distribution, 4 bits lose less than 10 % with the search, 8 bits 0.6 %', async () => {
  const weights = gaussianWeights(256 * BLOCK * 8);
  const relative = async (bits: Bits): Promise<number> => {
    const { squaredError, squaredNorm } = await quantize(weights, 256, 8 * BLOCK, bits);
    return Math.sqrt(squaredError / squaredNorm);
  };
  let usual = 0;
  for (let i = 0; i < weights.length; i += BLOCK) {
    const values = [...weights.subarray(i, i + BLOCK)];
    usual += squaredError(values, absmaxScale(values, 4), 4);
  }
  const norm = weights.reduce((sum, value) => sum + value ** 2, 0);
  const four = await relative(4);
  expect(four).toBeLessThan(0.085);
  expect(four).toBeLessThan(0.9 * Math.sqrt(usual / norm));
  expect(await relative(8)).toBeLessThan(0.006);
});

test('blocks of zeros stay zero', async () => {
  const matrix = await quantize(new Float32Array(2 * BLOCK), 2, BLOCK, 4);
  expect([...dequantizeRows(matrix, 4)]).toEqual(Array.from({ length: 2 * BLOCK }, () => 0));
  expect(matrix).toMatchObject({ squaredError: 0, squaredNorm: 0 });
});

test.each<[Bits]>([[4], [8]])(
  'what no %i-bit scale is small enough for becomes zero',
  async (bits) => {
    // Half precision begins at 2^-24; less than half of that is rounded to zero.
    const weights = new Float32Array(BLOCK).fill(2 ** -26);
    const matrix = await quantize(weights, 1, BLOCK, bits);
    expect(fromHalf(matrix.scales[0]!)).toBe(0);
    expect(dequantizeRows(matrix, bits).every((value) => value === 0)).toBe(true);
    expect(matrix.squaredError).toBe(matrix.squaredNorm);
  },
);

test.each<[Bits, number]>([
  [4, 7 * 65504],
  [8, 127 * 65504],
])('%i bits hold magnitudes up to %i', async (bits, largest) => {
  const weights = new Float32Array(2 * BLOCK);
  weights[3] = -largest;
  weights[BLOCK + 1] = largest;
  const matrix = await quantize(weights, 1, 2 * BLOCK, bits);
  expect(dequantizeRows(matrix, bits).every(Number.isFinite)).toBe(true);
  expect(matrix.squaredError).toBeLessThan(1e-5 * matrix.squaredNorm);
  // The next float32 is too large.
  weights[3] = -largest * (1 + 2 ** -23);
  await expect(quantize(weights, 1, 2 * BLOCK, bits)).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: `a weight is ${weights[3]}, which cannot be stored in ${bits} bits.`,
  });
});

test.each([[NaN], [Infinity], [-Infinity]])('refuses %d', async (value) => {
  const weights = new Float32Array(BLOCK).fill(1);
  weights[BLOCK - 1] = value;
  await expect(quantize(weights, 1, BLOCK, 8)).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: `a weight is ${value}, not a finite number.`,
  });
});

test('two codes share a byte, the first in its low half', async () => {
  // Both levels are exact: -8 is code 0, 7 is code 15.
  const weights = new Float32Array(BLOCK);
  weights[0] = -8;
  weights[1] = 7;
  const { packed, scales } = await quantize(weights, 1, BLOCK, 4);
  expect(fromHalf(scales[0]!)).toBe(1);
  expect(packed[0]).toBe(0xf0);
  expect(packed[1]).toBe(0x88);
});

test('refuses rows that are not whole blocks', async () => {
  await expect(quantize(new Float32Array(40), 1, 40, 4)).rejects.toThrow(RangeError);
});

/** MatMulNBits with the identity gives back the matrix that the runtime unpacked. */
test.each<[Bits]>([[4], [8]])('ONNX Runtime unpacks %i bits the same way', async (bits) => {
  const [rows, columns] = [5, 3 * BLOCK];
  const matrix = await quantize(gaussianWeights(rows * columns), rows, columns, bits);
  const { data, packed, scales } = dataFile(matrix, [rows, 3, (BLOCK * bits) / 8]);
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
    externalData: [{ path: packed.location, data }],
  });
  const identity = new Float32Array(columns * columns);
  for (let i = 0; i < columns; i++) identity[i * columns + i] = 1;
  const feed = new ort.Tensor('float32', identity, [columns, columns]);
  const result = numbersOf((await session.run({ x: feed }))['y']!.data);
  await session.release();
  const expected = dequantizeRows(matrix, bits);
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

/** Codes and scales in one file, one after the other. */
function dataFile(
  { packed, scales }: { packed: Uint8Array; scales: Uint16Array },
  [rows, blocks, blob]: [number, number, number],
): { data: Uint8Array; packed: StoredTensor; scales: StoredTensor } {
  const data = new Uint8Array(packed.length + scales.byteLength);
  data.set(packed);
  data.set(new Uint8Array(scales.buffer), packed.length);
  const at = (
    name: string,
    type: StoredTensor['type'],
    shape: number[],
    offset: number,
    bytes: number,
  ): StoredTensor => ({ name, type, shape, location: 'weights.data', offset, bytes });
  return {
    data,
    packed: at('codes', 'uint8', [rows, blocks, blob], 0, packed.length),
    scales: at('scales', 'float16', [rows, blocks], packed.length, scales.byteLength),
  };
}
