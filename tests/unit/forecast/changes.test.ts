/** Settings that change while a run goes on. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENERIC } from '../../../src/forecast/calibration.ts';
import { ScheduleControl } from '../../../src/forecast/schedule/controller.ts';
import { Planner } from '../../../src/forecast/schedule/planner.ts';
import { BASES, type CacheSettings, PUBLISHED, SCHEDULES } from '../../../src/forecast/settings.ts';
import { shifted } from './times.ts';

const OURS: CacheSettings = {
  ...PUBLISHED,
  basis: 'newton',
  order: 1,
  abscissa: 'flow',
  schedule: 'tolerance',
  correct: true,
};
const BUDGET: CacheSettings = { ...OURS, schedule: 'budget', budget: 9 };
const NONE: CacheSettings = { ...OURS, basis: 'none' };

/** The compute steps of a run whose settings may change from step to step. */
function computeSteps(
  steps: number,
  at: (step: number) => CacheSettings,
  onStep: (control: ScheduleControl, step: number) => void = () => undefined,
): number[] {
  const control = new ScheduleControl(shifted(steps, 1), GENERIC);
  const computed: number[] = [];
  for (let step = 0; step < steps; step++) {
    if (control.computes(step, at(step))) {
      control.computed(step);
      computed.push(step);
    }
    onStep(control, step);
  }
  return computed;
}

const changedAt =
  (change: number, before: CacheSettings, after: CacheSettings) => (step: number) =>
    step < change ? before : after;

const settings: fc.Arbitrary<CacheSettings> = fc.record({
  basis: fc.constantFrom(...BASES),
  order: fc.integer({ min: 0, max: 4 }),
  sigma: fc.double({ min: 0.1, max: 1, noNaN: true }),
  differences: fc.constantFrom('divided', 'paper'),
  abscissa: fc.constantFrom('flow', 'step'),
  schedule: fc.constantFrom(...SCHEDULES),
  interval: fc.integer({ min: 1, max: 12 }),
  firstEnhance: fc.integer({ min: 1, max: 12 }),
  budget: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 1000 })),
  tolerance: fc.oneof(
    fc.constantFrom(0, 0.02, Infinity),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ),
  correct: fc.boolean(),
});

/** Every change is of one field or of all. */
const changes = fc.array(
  fc.record({
    at: fc.integer({ min: 1, max: 300 }),
    to: fc.oneof(
      settings,
      settings.chain((all) =>
        fc.constantFrom(...(Object.keys(all) as (keyof CacheSettings)[])).map((name) => ({
          [name]: all[name],
        })),
      ),
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('whatever is changed on the way', () => {
  // Plans are kept for the next run with the same steps, which is what makes this quick.
  test.each([1, 2, 5, 28, 50, 200])(
    'of %i steps: no anchor grows older than a plan lets it, and forecasts are verified',
    (steps) => {
      const all = Array.from({ length: steps }, (_, step) => step);
      const { longestGap } = new Planner(GENERIC.features, shifted(steps, 1), true);
      fc.assert(
        fc.property(settings, changes, (first, list) => {
          const by = list.toSorted((a, b) => (a.at % steps) - (b.at % steps));
          const at = (step: number): CacheSettings =>
            by.reduce(
              (now, { at: from, to }) => (1 + (from % steps) <= step ? { ...now, ...to } : now),
              first,
            );
          const series = all.map(at);
          const changed = all.filter(
            (step) => step > 0 && JSON.stringify(series[step]) !== JSON.stringify(series[step - 1]),
          );
          const computed = computeSteps(
            steps,
            (step) => series[step]!,
            (control, step) => {
              for (const ahead of control.planned(step, series[step]!)) {
                expect(ahead).toBeGreaterThan(step);
                expect(ahead).toBeLessThan(steps);
              }
            },
          );
          if (changed.length === 0) return;
          const forecast = all.filter((step) => !computed.includes(step));
          for (const step of forecast.filter((one) => one >= changed[0]!)) {
            const anchor = computed.findLast((one) => one < step)!;
            expect(step - anchor).toBeLessThan(longestGap);
          }
          const unproven = forecast.find((step) => step >= changed.at(-1)!);
          if (unproven !== undefined) expect(computed.at(-1)).toBeGreaterThan(unproven);
        }),
        { numRuns: steps > 100 ? 8 : 60 },
      );
    },
  );

  test('the plan that is told is the one that is kept', () => {
    const told: (number | undefined)[] = [];
    const at = changedAt(45, NONE, BUDGET);
    const computed = computeSteps(50, at, (control, step) => {
      told[step] = control.planned(step, at(step))[0];
    });
    expect(told[45]).toBe(49);
    expect(computed.slice(-2)).toEqual([44, 49]);
  });
});

describe('a budget that is set late', () => {
  test('leaves a sparse rest when it is spent already', () => {
    for (const budget of [1, 5, 9, 20]) {
      const computed = computeSteps(50, changedAt(20, NONE, { ...BUDGET, budget }));
      const rest = computed.filter((step) => step >= 20);
      expect(rest).toHaveLength(4);
      expect(rest).toEqual(new Planner(GENERIC.features, shifted(50, 1), true).rest(18, 19, 4));
    }
  });

  test('goes on as the plan before it did, if that had less left', () => {
    const sparse = { ...OURS, schedule: 'interval', interval: 12, firstEnhance: 3 } as const;
    const planned = computeSteps(50, () => sparse).filter((step) => step >= 10);
    const computed = computeSteps(50, changedAt(10, sparse, { ...BUDGET, budget: 2 }));
    expect(computed.filter((step) => step >= 10)).toHaveLength(planned.length);
  });

  test('is kept where there is enough of it', () => {
    for (const budget of [9, 14, 30]) {
      expect(computeSteps(50, changedAt(3, NONE, { ...BUDGET, budget }))).toHaveLength(budget);
    }
    expect(computeSteps(50, changedAt(20, NONE, { ...BUDGET, budget: 26 }))).toHaveLength(26);
  });

  test('moves with its slider, and back', () => {
    const at = (step: number) => ({ ...BUDGET, budget: step === 10 ? 12 : 9 });
    expect(computeSteps(50, at).length).toBeLessThanOrEqual(12);
    const sigma = (step: number) => ({ ...BUDGET, sigma: step < 10 ? 0.5 : 0.6 });
    expect(computeSteps(50, sigma)).toEqual(computeSteps(50, () => BUDGET));
  });

  test('of one step is one step if nothing changes, and is not once something does', () => {
    const one = { ...BUDGET, budget: 1 };
    expect(computeSteps(50, () => one)).toEqual([0]);
    const corrected = changedAt(30, one, { ...one, correct: false });
    expect(computeSteps(50, corrected)).toEqual([0, 30, 49]);
  });

  test('may fall into a run so long that it is planned on every eighth step', () => {
    const rest = computeSteps(1000, changedAt(400, NONE, BUDGET)).filter((step) => step >= 400);
    expect(rest.length).toBeGreaterThanOrEqual(8);
    expect(rest.length).toBeLessThanOrEqual(12);
  });
});
