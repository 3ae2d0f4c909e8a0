import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startingLatents } from '../../../src/sampling/latents.ts';
import { Mt19937 } from '../../../src/sampling/mt19937.ts';
import { gaussianNoise } from '../../../src/sampling/noise.ts';
import { parseSeed } from '../../../src/shared/seed.ts';

/** Made by training/noise_goldens.py with torch on a CPU. */
const golden = JSON.parse(
  readFileSync(new URL('../../golden/noise.json', import.meta.url), 'utf8'),
) as {
  cases: { seed: number; size: number; values: number[] }[];
  /** Seeds in digits: most of them are more than a number holds. */
  wide: { seed: string; size: number; values: number[] }[];
  long: { seed: number; size: number; indices: number[]; values: number[] }[];
  packed: { seed: number; channels: number; height: number; width: number; values: number[] }[];
};

/** torch's vectorized logarithm and sine differ from the exact ones in the last place. */
const TOLERANCE = 6e-7;

function largestDifference(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(actual[i]! - value)), 0);
}

describe("the noise is torch's", () => {
  test.each(golden.cases)('seed $seed, $size numbers', ({ seed, size, values }) => {
    expect(largestDifference(gaussianNoise(seed, size), values)).toBeLessThan(TOLERANCE);
  });

  test.each(golden.wide)('seed $seed, $size numbers', ({ seed, size, values }) => {
    const noise = gaussianNoise(parseSeed(seed)!, size);
    expect(largestDifference(noise, values)).toBeLessThan(TOLERANCE);
  });

  test.each(golden.long)(
    'seed $seed, $size numbers, sampled',
    ({ seed, size, indices, values }) => {
      const noise = gaussianNoise(seed, size);
      const sampled = indices.map((index) => noise[index]!);
      expect(largestDifference(sampled, values)).toBeLessThan(TOLERANCE);
    },
  );

  test.each(golden.packed)(
    'packed as FluxPipeline packs $channels x $height x $width',
    ({ seed, channels, height, width, values }) => {
      const latents = startingLatents(seed, { rows: height / 2, columns: width / 2 }, channels);
      expect(largestDifference(latents, values)).toBeLessThan(TOLERANCE);
    },
  );
});

test('numbers below 16 are exact to float32', () => {
  for (const { seed, size, values } of golden.cases.filter((row) => row.size < 16)) {
    expect(largestDifference(gaussianNoise(seed, size), values)).toBeLessThan(2.4e-7);
  }
});

test('the Mersenne Twister gives the reference outputs of its authors', () => {
  // C++ defines this: the 10000th output of mt19937 seeded with 5489 is 4123659995.
  const generator = new Mt19937(5489);
  for (let i = 1; i < 10_000; i++) generator.next();
  expect(generator.next()).toBe(4123659995);
});

test('seeds differ and repeat', () => {
  expect(gaussianNoise(1, 64)).toEqual(gaussianNoise(1, 64));
  expect(gaussianNoise(1, 64)).not.toEqual(gaussianNoise(2, 64));
});
