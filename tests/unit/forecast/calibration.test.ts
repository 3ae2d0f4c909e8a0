import { describe, expect, test } from 'vitest';
import {
  type Calibration,
  calibratedModel,
  GENERIC,
  knowledgeOf,
} from '../../../src/forecast/calibration.ts';
import { LINEAR } from '../../../src/forecast/verification/candidates.ts';
import { ScheduleControl } from '../../../src/forecast/schedule/controller.ts';
import { GENERIC_CONSTANTS } from '../../../src/forecast/schedule/feature-covariance.ts';
import { Planner } from '../../../src/forecast/schedule/planner.ts';
import { type CacheSettings, PUBLISHED } from '../../../src/forecast/settings.ts';
import { shifted } from './times.ts';

const STEPS = 20;
const PLAN = { steps: STEPS, computeSteps: [0, 5, 6, 11], forecaster: LINEAR, error: 0.01 };
const CALIBRATION: Calibration = {
  version: 1,
  shift: 3,
  pictures: 4,
  sensitivity: { flowTimes: [0.9, 0.5, 0.1], gains: [4, 1, 1] },
  constants: GENERIC_CONSTANTS,
  plans: [PLAN, { ...PLAN, steps: 28 }],
  verified: 2,
};
const BUDGET: CacheSettings = {
  ...PUBLISHED,
  ...LINEAR,
  schedule: 'budget',
  budget: 4,
  correct: true,
};

/** The compute steps of a run whose settings may change from step to step. */
function run(calibration: Calibration, shift: number, at: (step: number) => CacheSettings) {
  const times = shifted(STEPS, shift);
  const control = new ScheduleControl(times, knowledgeOf(calibration, STEPS, shift));
  const steps: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    if (!control.computes(step, at(step))) continue;
    control.computed(step);
    steps.push(step);
  }
  return steps;
}

describe('a calibrated plan', () => {
  test('is kept to by the budget that it was made for', () => {
    expect(run(CALIBRATION, 3, () => BUDGET)).toEqual(PLAN.computeSteps);
  });

  test('is left for the planner by any other budget, shift, number of steps, or uncorrected', () => {
    const planned = (shift: number, settings: CacheSettings) =>
      run({ ...CALIBRATION, plans: [] }, shift, () => settings);
    for (const [shift, settings] of [
      [3, { ...BUDGET, budget: 5 }],
      [1, BUDGET],
      [3, { ...BUDGET, correct: false }],
    ] as const) {
      expect(run(CALIBRATION, shift, () => settings)).toEqual(planned(shift, settings));
    }
    expect(knowledgeOf(CALIBRATION, 21, 3).plans).toEqual([]);
  });

  test('is left as soon as the run has left it, and the budget holds all the same', () => {
    const everyStep = { ...BUDGET, schedule: 'interval', interval: 1 } as const;
    const steps = run(CALIBRATION, 3, (step) => (step < 2 ? everyStep : BUDGET));
    expect(steps.slice(0, 2)).toEqual([0, 1]);
    expect(steps).toHaveLength(4);
    const planner = new Planner(
      knowledgeOf(CALIBRATION, STEPS, 3).features,
      shifted(STEPS, 3),
      true,
    );
    expect(steps.slice(2)).toEqual(planner.rest(0, 1, 2));
  });
});

test('verified errors that are as usual change no prediction of a tolerance', () => {
  const tolerance: CacheSettings = { ...BUDGET, schedule: 'tolerance', tolerance: 0.03 };
  const times = shifted(STEPS, 3);
  const stepsWith = (verified: number, factor: number): number[] => {
    const knowledge = knowledgeOf({ ...CALIBRATION, plans: [], verified }, STEPS, 3);
    const control = new ScheduleControl(times, knowledge);
    const planner = new Planner(knowledge.features, times, true);
    const steps: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      if (!control.computes(step, tolerance)) continue;
      const [before, last] = [steps.at(-2) ?? -1, steps.at(-1)];
      control.computed(step);
      if (last !== undefined) {
        control.verified(before, last, step, factor * planner.linearError(before, last, step));
      }
      steps.push(step);
    }
    return steps;
  };
  const usual = stepsWith(2, 2);
  expect(usual).toEqual(stepsWith(1, 1));
  expect(stepsWith(1, 3).length).toBeGreaterThan(usual.length);
  expect(stepsWith(2, 0.7).length).toBeLessThan(usual.length);
});

describe('the calibrated model', () => {
  test('is the generic one without a calibration, and one model for one calibration', () => {
    expect(knowledgeOf(undefined, STEPS, 1)).toBe(GENERIC);
    const known = knowledgeOf(CALIBRATION, STEPS, 1).features;
    expect(knowledgeOf(CALIBRATION, 50, 3).features).toBe(known);
  });

  test('takes the sensitivity as straight between flow times, level beyond, 1 on average', () => {
    const constants = { ...GENERIC_CONSTANTS, gain: 2, sensitivity: 1 };
    const { gain } = calibratedModel(constants, CALIBRATION.sensitivity);
    const expected = [4, 4, 2.5, 1, 1, 1];
    [1, 0.9, 0.7, 0.5, 0.3, 0].forEach((t, i) => expect(gain(t)).toBeCloseTo(expected[i]!, 12));
    const flat = calibratedModel(GENERIC_CONSTANTS, CALIBRATION.sensitivity);
    expect(flat.gain(0.9)).toBe(GENERIC_CONSTANTS.gain);
  });

  test('plans more steps where errors count for more', () => {
    const constants = { ...GENERIC_CONSTANTS, sensitivity: 1 };
    const early = (gains: readonly number[]): number => {
      const model = calibratedModel(constants, { flowTimes: [1, 0.55, 0.45, 0], gains });
      return new Planner(model, shifted(50, 1), true).rest(-1, 0, 9).filter((step) => step < 25)
        .length;
    };
    expect(early([9, 9, 1, 1])).toBeGreaterThan(early([1, 1, 9, 9]));
  });
});
