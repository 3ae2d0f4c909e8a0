import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENERIC_MODEL } from '../../../src/forecast/schedule/feature-covariance.ts';
import { newtonWeights } from '../../../src/forecast/bases/newton.ts';
import { Planner } from '../../../src/forecast/schedule/planner.ts';
import { plannerFor } from '../../../src/forecast/schedule/plan-memo.ts';
import { shifted } from './times.ts';

const planners = (steps: number, shift = 1) =>
  [false, true].map((correct) => new Planner(GENERIC_MODEL, shifted(steps, shift), correct));

/** Every set of `left` steps after `current`. */
function* choices(from: number, steps: number, left: number): Generator<number[]> {
  if (left === 0) {
    yield [];
    return;
  }
  for (let next = from + 1; next < steps; next++) {
    for (const rest of choices(next, steps, left - 1)) yield [next, ...rest];
  }
}

describe('the plan', () => {
  test('is the best of all sets, found by trying every one', () => {
    for (const shift of [1, 3]) {
      for (const planner of planners(10, shift)) {
        for (const left of [0, 1, 3]) {
          const cost = (set: readonly number[]): number => {
            let total = 0;
            [...set, 10].forEach((end, i) => {
              total +=
                planner.gapError(set[i - 2] ?? (i === 1 ? 0 : -1), set[i - 1] ?? 0, end) ** 2;
            });
            return total;
          };
          const costs = [...choices(0, 10, left)].map(cost);
          const planned = planner.rest(-1, 0, left);
          expect(cost(planned)).toBeCloseTo(Math.min(...costs), 12);
          expect(planner.restError(-1, 0, left) ** 2).toBeCloseTo(Math.min(...costs), 12);
        }
      }
    }
  });

  test('never errs more with one more step, and not at all with every step', () => {
    for (const planner of planners(30, 3)) {
      let before = Infinity;
      for (let left = 0; left <= 29; left++) {
        const error = planner.restError(-1, 0, left);
        expect(error).toBeLessThanOrEqual(before + 1e-12);
        before = error;
      }
      expect(before).toBe(0);
      expect(planner.rest(-1, 0, 29)).toEqual(Array.from({ length: 29 }, (_, i) => i + 1));
    }
  });

  test('errs less where compute steps correct the forecasts before them', () => {
    const [plain, corrected] = planners(50);
    expect(corrected!.gapError(8, 10, 16)).toBeGreaterThan(plain!.gapError(8, 10, 16));
    // Corrected or not, the same forecasts come first; what differs is what is predicted of them.
    expect(corrected!.rest(-1, 0, 8)).toHaveLength(8);
  });

  test('goes to the end of runs too long to tell every step apart', () => {
    const planner = new Planner(GENERIC_MODEL, shifted(1000, 1), true);
    const steps = planner.rest(-1, 0, 12);
    expect(steps).toHaveLength(12);
    expect(steps.every((step, i) => step > (steps[i - 1] ?? 0) && step < 1000)).toBe(true);
    expect(steps.at(-1)!).toBeGreaterThan(700);
  });

  test('holds for any state of a run', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 39 }),
        fc.integer({ min: 0, max: 45 }),
        fc.integer({ min: 1, max: 6 }),
        (steps, at, left, shift) => {
          const current = Math.min(at, steps - 1);
          const previous = current > 0 ? Math.floor(current / 2) : -1;
          const planner = new Planner(GENERIC_MODEL, shifted(steps, shift), true);
          const rest = planner.rest(previous, current, left);
          expect(rest.length).toBeLessThanOrEqual(Math.min(left, steps - 1 - current));
          for (const [i, step] of rest.entries()) {
            expect(step).toBeGreaterThan(rest[i - 1] ?? current);
            expect(step).toBeLessThan(steps);
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

test('a gap’s error is that of its forecasts, summed up one by one', () => {
  const steps = 30;
  const times = shifted(steps, 2);
  const covariance = GENERIC_MODEL.covariance(times.slice(0, -1));
  /** |Σ Δt·gain·(F̂ − F)|² with F̂ the line through the anchors. */
  const accumulated = (anchors: number[], from: number, to: number): number => {
    const sum = new Array<number>(steps).fill(0);
    for (let step = from + 1; step < to; step++) {
      const gain = (times[step]! - times[step + 1]!) * GENERIC_MODEL.gain(times[step]!);
      const positions = anchors.map((anchor) => times[anchor]!);
      const weights = newtonWeights(positions, anchors.length - 1, times[step]!);
      weights.forEach((weight, j) => (sum[anchors[j]!]! += gain * weight));
      sum[step]! -= gain;
    }
    return sum.reduce(
      (total, a, i) => total + sum.reduce((row, b, j) => row + a * b * covariance[i]![j]!, 0),
      0,
    );
  };
  const plain = new Planner(GENERIC_MODEL, times, false);
  const corrected = new Planner(GENERIC_MODEL, times, true);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: steps }), { minLength: 3, maxLength: 3 }),
      fc.boolean(),
      (picked, first) => {
        const [previous, current, end] = picked.toSorted((a, b) => a - b) as [
          number,
          number,
          number,
        ];
        const anchors = first ? [current] : [current, previous];
        const forecast = accumulated(anchors, current, end);
        const before = first ? -1 : previous;
        expect(plain.gapError(before, current, end) ** 2).toBeCloseTo(forecast, 12);
        const both =
          end === steps ? forecast : forecast + accumulated([end, current], current, end);
        expect(corrected.gapError(before, current, end) ** 2).toBeCloseTo(
          end === current + 1 ? 0 : both,
          12,
        );
      },
    ),
  );
});

test('planners are kept for runs with the same flow times, and for no others', () => {
  const first = plannerFor(GENERIC_MODEL, shifted(20, 1), true);
  expect(plannerFor(GENERIC_MODEL, shifted(20, 1), true)).toBe(first);
  expect(plannerFor(GENERIC_MODEL, shifted(20, 2), true)).not.toBe(first);
  expect(plannerFor(GENERIC_MODEL, shifted(20, 1), false)).not.toBe(first);
  expect(plannerFor({ ...GENERIC_MODEL }, shifted(20, 1), true)).not.toBe(first);
});
