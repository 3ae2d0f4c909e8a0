import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createGpuQuantizer } from '../../src/convert/quantize/gpu-quantizer.ts';
import { DeviceWatch } from '../../src/gpu/watch.ts';
import {
  type Bits,
  BLOCK,
  dequantizeRows,
  type QuantizedRows,
} from '../../src/convert/quantize/quantize.ts';
import { cpuQuantizer, type Quantizer } from '../../src/convert/quantize/quantizer.ts';
import { gaussianWeights } from '../unit/support/weights.ts';
import { testDevice } from './support.ts';

const source = readFileSync('shaders/quantize.wgsl', 'utf8');
const cpu = cpuQuantizer();
let watch: DeviceWatch;
let gpu: Quantizer | undefined;
beforeAll(async () => {
  watch = new DeviceWatch(await testDevice());
});
afterEach(() => gpu?.dispose());
afterAll(() => watch.device.destroy());

/** Magnitudes of checkpoints, of outliers, and of what scales are hardly fine enough for. */
const magnitude = fc.constantFrom(0, 1e-30, 1e-7, 4e-6, 0.02, 1, 300, 450_000);
const problems = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  blocks: fc.integer({ min: 1, max: 40 }),
  magnitude,
  /** Of one weight in a hundred. */
  outlier: magnitude,
  seed: fc.integer(),
  bits: fc.constantFrom<Bits>(4, 8),
});

test('scales and codes are those of the processor, or as good', async () => {
  // Dispatches of few blocks, so that most matrices take several.
  gpu = await createGpuQuantizer(watch, source, 134);
  await fc.assert(
    fc.asyncProperty(problems, async ({ rows, blocks, magnitude, outlier, seed, bits }) => {
      const columns = blocks * BLOCK;
      const weights = Float32Array.from(
        { length: rows * columns },
        (_, i) => (i % 97 === 13 ? outlier : magnitude) * Math.sin(seed + i * i),
      );
      const [found, expected] = await Promise.all(
        [gpu!, cpu].map((quantizer) => quantizer.quantize(weights, rows, columns, bits)),
      );
      expect(found!.squaredNorm).toBe(expected!.squaredNorm);
      await expectAsGood(weights, found!, expected!, bits);
    }),
    {
      numRuns: 60,
      // One weight lies between two levels to the last bit of float32.
      examples: [[{ rows: 3, blocks: 19, magnitude: 1, outlier: 1, seed: -490331256, bits: 4 }]],
    },
  );
});

test.each<[Bits]>([[4], [8]])(
  'of a normal distribution nearly all blocks in %i bits are the same, and the error is',
  async (bits) => {
    gpu = await createGpuQuantizer(watch, source);
    const [rows, columns] = [257, 33 * BLOCK];
    const weights = gaussianWeights(rows * columns).map((value) => 0.03 * value);
    const found = await gpu.quantize(weights, rows, columns, bits);
    const expected = await cpu.quantize(weights, rows, columns, bits);
    const { blocks, sameScales, sameCodes } = compare(found, expected, bits);
    expect(sameScales).toBeGreaterThan(0.999 * blocks);
    expect(sameCodes).toBeGreaterThan(0.999 * blocks);
    expect(Math.abs(found.squaredError / expected.squaredError - 1)).toBeLessThan(1e-5);
    const error = errorsOf(weights, found, bits).reduce((sum, value) => sum + value, 0);
    expect(Math.abs(error / expected.squaredError - 1)).toBeLessThan(1e-5);
  },
);

test('calls may overlap', async () => {
  gpu = await createGpuQuantizer(watch, source, 64);
  const matrices = [4, 8, 4, 4, 8].map((bits, i) => ({
    bits: bits as Bits,
    rows: 3 + 2 * i,
    weights: gaussianWeights((3 + 2 * i) * 20 * BLOCK).map((value) => (i + 1) * value),
  }));
  const found = await Promise.all(
    matrices.map(({ weights, rows, bits }) => gpu!.quantize(weights, rows, 20 * BLOCK, bits)),
  );
  for (const [i, { weights, rows, bits }] of matrices.entries()) {
    const expected = await cpu.quantize(weights, rows, 20 * BLOCK, bits);
    await expectAsGood(weights, found[i]!, expected, bits);
  }
});

test('refuses what the processor refuses', async () => {
  gpu = await createGpuQuantizer(watch, source);
  const weights = new Float32Array(BLOCK);
  await expect(gpu.quantize(weights, 1, 31, 4)).rejects.toThrow(RangeError);
  weights[7] = NaN;
  await expect(gpu.quantize(weights, 1, BLOCK, 4)).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: 'a weight is NaN, not a finite number.',
  });
});

test('a kernel that computes wrong is not used', async () => {
  const wrong = source.replace('floor(values + 0.5)', 'floor(values)');
  await expect(createGpuQuantizer(watch, wrong)).rejects.toMatchObject({ code: 'no-webgpu' });
});

test('says that the device was lost', async () => {
  const own = new DeviceWatch(await testDevice());
  const quantizer = await createGpuQuantizer(own, source);
  const weights = gaussianWeights(64 * BLOCK);
  const underWay = quantizer.quantize(weights, 2, 32 * BLOCK, 4);
  own.device.destroy();
  await expect(underWay).rejects.toMatchObject({ code: 'device-lost' });
  await expect(quantizer.quantize(weights, 2, 32 * BLOCK, 4)).rejects.toMatchObject({
    code: 'device-lost',
  });
  quantizer.dispose();
});

/**
 * Every block is the same, or its error is. Where float32 and float64 decide a tie differently,
 * the scales may be rounded differently as well: by 2^-11 of themselves, which counts against the
 * block's norm, or by 2^-25 where half precision has no smaller steps. A weight between two levels
 * may also lead to another scale altogether; then the processor must come to an error as good once
 * the weights' last bits are changed.
 */
async function expectAsGood(
  weights: Float32Array,
  found: QuantizedRows,
  expected: QuantizedRows,
  bits: Bits,
): Promise<void> {
  const errors = errorsOf(weights, found, bits);
  const least = errorsOf(weights, expected, bits);
  for (const [block, error] of errors.entries()) {
    const values = weights.subarray(block * BLOCK, (block + 1) * BLOCK);
    const norm = values.reduce((sum, value) => sum + value * value, 0);
    const coarse = BLOCK * (2 ** (bits - 1) * 2 ** -25) ** 2;
    const allowed = 1e-5 * least[block]! + 2 ** -18 * norm + coarse;
    const isNear = (other: number): boolean => Math.abs(error - other) <= allowed;
    const isAsGood =
      isNear(least[block]!) || (await errorsWithOtherBits(values, bits)).some(isNear);
    expect(isAsGood, `block ${block}: an error of ${error}, not ${least[block]!}`).toBe(true);
  }
  const sum = errors.reduce((a, b) => a + b, 0);
  const allowed = 1e-5 * sum + 1e-9 * found.squaredNorm + 2 ** -60;
  expect(Math.abs(found.squaredError - sum)).toBeLessThanOrEqual(allowed);
}

/** What the error of one block is if the processor goes by weights with other last bits. */
async function errorsWithOtherBits(block: Float32Array, bits: Bits): Promise<number[]> {
  return Promise.all(
    Array.from({ length: 32 }, async (_, change) => {
      const changed = block.map(
        (value, i) => value * (1 + 2 ** -23 * Math.sign(Math.sin(change * 91 + i * i))),
      );
      return errorsOf(block, await cpu.quantize(changed, 1, BLOCK, bits), bits)[0]!;
    }),
  );
}

/** Squared error of every block, in float64. */
function errorsOf(weights: Float32Array, matrix: QuantizedRows, bits: Bits): number[] {
  const restored = dequantizeRows(matrix, bits);
  return Array.from(matrix.scales, (_, block) => {
    let sum = 0;
    for (let i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
      sum += (weights[i]! - restored[i]!) ** 2;
    }
    return sum;
  });
}

/** Blocks of which scale and codes are the same. */
function compare(
  found: QuantizedRows,
  expected: QuantizedRows,
  bits: Bits,
): { blocks: number; sameScales: number; sameCodes: number } {
  const bytes = (BLOCK * bits) / 8;
  const blocks = expected.scales.length;
  let sameScales = 0;
  let sameCodes = 0;
  for (let block = 0; block < blocks; block++) {
    if (found.scales[block] === expected.scales[block]) sameScales++;
    const range = [block * bytes, (block + 1) * bytes] as const;
    const codes = found.packed.subarray(...range);
    if (expected.packed.subarray(...range).every((code, i) => code === codes[i])) sameCodes++;
  }
  return { blocks, sameScales, sameCodes };
}
