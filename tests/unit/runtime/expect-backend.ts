import { expect } from 'vitest';
import type { Backend } from '../../../src/runtime/backend.ts';
import { beginOn, deviation, type Followed, runByHand, runOn } from './formula-bundle.ts';

/**
 * A backend on the formula bundle does what its graphs say, step by step.
 *
 * @param tolerance of all but pixels, as a share of the largest number
 */
export async function expectFollowed(
  backend: Backend,
  tolerance: number,
  guidance?: number,
): Promise<Followed> {
  const [actual, expected] = [await runOn(backend, { guidance }), runByHand(guidance)];
  expect(deviation(actual.latents, expected.latents)).toBeLessThan(tolerance);
  expect(deviation(actual.marked, expected.marked)).toBeLessThan(tolerance);
  expect(deviation(actual.estimate, expected.estimate)).toBeLessThan(tolerance);
  expect(deviation(actual.anchor, expected.anchor)).toBeLessThan(tolerance);
  expect(actual.grams).toHaveLength(expected.grams.length);
  for (const [step, products] of expected.grams.entries()) {
    expect(deviation(actual.grams[step]!, products), `step ${step}`).toBeLessThan(tolerance);
  }
  expect(actual.size).toEqual(expected.size);
  expect(deviation(actual.pixels, expected.pixels)).toBeLessThanOrEqual(1 / 255);
  if (actual.preview) {
    expect(deviation(actual.preview, expected.preview!)).toBeLessThanOrEqual(1 / 255);
  }
  return actual;
}

/** What a backend refuses, and that a refused call changes nothing. */
export async function expectRefusals(backend: Backend): Promise<void> {
  const { run, conditioning } = await beginOn(backend);
  try {
    await expect(run.head(1)).rejects.toThrow(RangeError);
    await expect(run.gram(0)).rejects.toThrow(RangeError);
    await expect(run.rewind()).rejects.toThrow(RangeError);
    await expect(run.anchor(0)).rejects.toThrow(RangeError);
    await expect(run.step([0.1])).rejects.toThrow(RangeError);
    await run.runTrunk(1);
    await expect(run.forecast([1, 1])).rejects.toThrow(RangeError);
    for (const older of [1, 7, -1, 0.5, NaN]) {
      await expect(run.gram(older), `${older} older anchors`).rejects.toThrow(RangeError);
    }
    await run.head(1);
    const before = await run.latents();
    for (const deltas of [[], [0.1, 0.1], [0.1, 0.1, 0.1]]) {
      await expect(run.step(deltas), `${deltas.length} deltas`).rejects.toThrow(RangeError);
    }
    expect(await run.latents()).toEqual(before);
    await expect(run.gram(0)).resolves.toHaveLength(1);
  } finally {
    run.dispose();
    conditioning.dispose();
  }
}
