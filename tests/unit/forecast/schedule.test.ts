import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isComputeStep, plannedComputeSteps } from '../../../src/forecast/schedule/interval.ts';
import { BASES, PUBLISHED } from '../../../src/forecast/settings.ts';

test('50 steps at interval 7 compute the nine published steps', () => {
  expect(plannedComputeSteps(50, PUBLISHED)).toEqual([0, 1, 2, 9, 16, 23, 30, 37, 44]);
});

test('basis none and interval 1 compute every step', () => {
  const all = [...Array(20).keys()];
  expect(plannedComputeSteps(20, { ...PUBLISHED, basis: 'none' })).toEqual(all);
  expect(plannedComputeSteps(20, { ...PUBLISHED, interval: 1 })).toEqual(all);
});

test('without an anchor there is nothing to forecast from', () => {
  expect(isComputeStep(30, null, PUBLISHED)).toBe(true);
});

test('no run of forecasts is longer than interval - 1, and none is shorter than it could be', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(...BASES.filter((basis) => basis !== 'none')),
      (steps, interval, firstEnhance, basis) => {
        const planned = plannedComputeSteps(steps, { ...PUBLISHED, basis, interval, firstEnhance });
        const first = Math.min(steps, firstEnhance);
        expect(planned.slice(0, first)).toEqual([...Array(first).keys()]);
        for (let i = first; i < planned.length; i++) {
          expect(planned[i]! - planned[i - 1]!).toBe(interval);
        }
        expect(steps - planned.at(-1)!).toBeLessThanOrEqual(interval);
      },
    ),
  );
});

test('settings that change on the way count from the anchor that there is', () => {
  // Anchor at 9; at step 12 the interval drops from 7 to 2: 12 is already due.
  expect(isComputeStep(12, 9, PUBLISHED)).toBe(false);
  expect(isComputeStep(12, 9, { ...PUBLISHED, interval: 2 })).toBe(true);
  expect(plannedComputeSteps(16, { ...PUBLISHED, interval: 2 }, 12, 9)).toEqual([12, 14]);
});
