import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { manifestSchema } from '../../../src/bundle/manifest.ts';
import { LINEAR } from '../../../src/forecast/verification/candidates.ts';
import {
  featureModel,
  GENERIC_CONSTANTS,
} from '../../../src/forecast/schedule/feature-covariance.ts';
import { Planner } from '../../../src/forecast/schedule/planner.ts';
import { openCalibrateFile } from '../../../cli/calibrate/file.ts';
import { calibrateOptions } from '../../../cli/calibrate/options.ts';
import { Progress } from '../../../cli/calibrate/progress.ts';
import { BUDGETS, calibrate } from '../../../cli/calibrate/run.ts';
import {
  grown,
  planned,
  type PlannerOf,
  searchConstants,
  searchPlan,
} from '../../../cli/calibrate/search.ts';
import { type Errors, isBetter, type Plan } from '../../../cli/calibrate/trials.ts';
import { shifted } from '../forecast/times.ts';
import { testEngine } from './bench-engine.ts';

/** Errors grow with the distance from a set that is the best. */
class Distance implements Errors {
  readonly pictures = 6;
  calls = 0;

  constructor(private readonly best: (plan: Plan) => readonly number[]) {}

  logError(plan: Plan, picture: number): Promise<number> {
    this.calls++;
    const best = this.best(plan);
    const off = plan.computeSteps.map((step, i) => Math.abs(step - best[i]!));
    const damped = plan.forecaster.sigma === 0.6 ? -0.5 : 0;
    return Promise.resolve(
      off.reduce((sum, one) => sum + one, 0) / 10 + damped + Math.sin(picture),
    );
  }
}

const planOf = (computeSteps: readonly number[]): Plan => ({
  steps: 30,
  computeSteps,
  forecaster: LINEAR,
});

describe('a plan', () => {
  test('is better only by evidence, and given up early', async () => {
    const errors = new Distance(() => [0, 4, 9]);
    expect(await isBetter(errors, planOf([0, 4, 8]), planOf([0, 4, 7]))).toBe(true);
    expect(errors.calls).toBe(12);
    errors.calls = 0;
    expect(await isBetter(errors, planOf([0, 4, 7]), planOf([0, 4, 7]))).toBe(false);
    expect(errors.calls).toBe(8);
    const noise: Errors = {
      pictures: 6,
      logError: (plan, picture) =>
        Promise.resolve(plan.steps === 1 ? [3, -2, 3, -2, -3, 0][picture]! : 0),
    };
    expect(await isBetter(noise, { ...planOf([0]), steps: 1 }, planOf([0]))).toBe(false);
  });

  test('is searched for from the better start, with steps and forecaster, the same way every time', async () => {
    const best = [0, 3, 9, 20];
    const search = (moves: number) =>
      searchPlan(new Distance(() => best), [planOf([0, 9, 18, 27]), planOf([0, 5, 12, 22])], moves);
    expect((await search(0)).computeSteps).toEqual([0, 5, 12, 22]);
    const found = await search(200);
    expect(found.computeSteps).toEqual(best);
    expect(found.forecaster).toMatchObject({ basis: 'hermite', order: 1, sigma: 0.6 });
    expect(await search(200)).toEqual(found);
  });
});

test('a plan grows by a step where it is predicted to err most', () => {
  const planner = new Planner(featureModel(GENERIC_CONSTANTS), shifted(30, 1), true);
  const more = grown(planOf([0, 1, 2, 16, 20]), planner);
  expect(more.computeSteps).toEqual([0, 1, 2, 9, 16, 20]);
  expect(grown(planOf([0, 2]), planner).computeSteps).toEqual([0, 2, 16]);
});

test('constants are searched for by what their plans err', async () => {
  const planner: PlannerOf = (constants, steps) =>
    new Planner(featureModel(constants), shifted(steps, 1), true);
  const hidden = { ...GENERIC_CONSTANTS, noiseSpeed: 0.3, pictureSpeed: 0.02, uncorrected: 0.2 };
  const errors = new Distance(
    ({ steps, computeSteps: { length } }) =>
      planned(planner(hidden, steps), steps, length).computeSteps,
  );
  const budgets = [
    { steps: 30, budget: 5 },
    { steps: 30, budget: 8 },
  ];
  const offOf = async (constants: typeof hidden): Promise<number> => {
    let off = 0;
    for (const { steps, budget } of budgets) {
      off += await errors.logError(planned(planner(constants, steps), steps, budget), 0);
    }
    return off;
  };
  let rounds = 0;
  const { constants: found, plans } = await searchConstants(
    errors,
    planner,
    budgets,
    60,
    () => rounds++,
  );
  expect(rounds).toBe(60);
  expect(await offOf(found)).toBeLessThan(0.5 * (await offOf(GENERIC_CONSTANTS)));
  expect(plans.map((plan) => plan.computeSteps.length)).toEqual([5, 8]);
  for (const [i, { steps, budget }] of budgets.entries()) {
    const own = planned(planner(found, steps), steps, budget);
    expect(await errors.logError(plans[i]!, 0)).toBeLessThanOrEqual(await errors.logError(own, 0));
  }
  expect(found.gain).toBe(GENERIC_CONSTANTS.gain);
});

describe('a calibration', () => {
  const budgets = [
    { steps: 28, budget: 6 },
    { steps: 50, budget: 9 },
  ];
  const EFFORT = { budgets, rounds: 1, moves: 1, onProgress: () => undefined };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'calibrate-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const subjects = Array.from({ length: 4 }, (_, i) => ({
    prompt: 'a fox',
    seed: i,
    width: 32,
    height: 32,
  }));
  const open = (name: string) => openCalibrateFile(join(folder, name), { model: 'abc' });

  test('makes plans for 5 to 25 of 50 steps and 4 to 14 of 28', () => {
    expect(BUDGETS.map(({ steps, budget }) => `${budget}/${steps}`)).toEqual([
      ...Array.from({ length: 21 }, (_, i) => `${5 + i}/50`),
      ...Array.from({ length: 11 }, (_, i) => `${4 + i}/28`),
    ]);
  });

  test('fits a manifest, and goes on where it was stopped', async () => {
    const { signal } = new AbortController();
    const whole = await calibrate(testEngine(), subjects, await open('whole'), {
      ...EFFORT,
      signal,
    });
    expect(whole.plans.map(({ computeSteps }) => computeSteps.length)).toEqual([6, 9]);
    for (const { computeSteps, error } of whole.plans) {
      expect(computeSteps[0]).toBe(0);
      expect(error).toBeGreaterThan(0);
    }
    const manifest = { ...testEngine().manifest, calibration: whole };
    expect(v.parse(manifestSchema, manifest).calibration).toEqual(whole);

    const abort = new AbortController();
    const onProgress = (line: string) => {
      if (Number.parseInt(line) >= 30) abort.abort();
    };
    await expect(
      calibrate(testEngine(), subjects, await open('cut'), {
        ...EFFORT,
        signal: abort.signal,
        onProgress,
      }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    const before = (await readFile(join(folder, 'cut'), 'utf8')).split('\n').length;
    const engine = testEngine();
    const again = await calibrate(engine, subjects, await open('cut'), { ...EFFORT, signal });
    expect(again).toEqual(whole);
    const lines = (await readFile(join(folder, 'cut'), 'utf8')).split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.length).toBeGreaterThan(before);

    const calls = engine.backend.calls.length;
    await calibrate(engine, subjects, await open('cut'), { ...EFFORT, signal });
    expect(engine.backend.calls).toHaveLength(calls);
  });

  test('of one number of steps has plans for it alone, and probes runs of it', async () => {
    const { plans, sensitivity } = await calibrate(testEngine(), subjects, await open('28'), {
      ...EFFORT,
      budgets: budgets.filter(({ steps }) => steps === 28),
      signal: new AbortController().signal,
    });
    expect(plans.map(({ steps }) => steps)).toEqual([28]);
    expect(sensitivity.gains).toHaveLength(7);
  });

  test('shows how far it is and the time left, by the work of this sitting', () => {
    const lines: string[] = [];
    const progress = new Progress(
      [
        { name: 'first', calls: 10 },
        { name: 'second', calls: 90 },
      ],
      (line) => lines.push(line),
    );
    progress.at(1);
    expect(lines).toEqual(['10 %, first']);
    progress.made(10);
    progress.at(0.5);
    progress.at(0.501);
    progress.at(1);
    expect(lines.slice(1)).toEqual([
      '55 %, second, about 1 min left',
      '100 %, second, about 0 min left',
    ]);
  });
});

test.each([
  [['--pictures', '3'], /--pictures must be a whole number from 4/],
  [['--rounds', 'x'], /--rounds must be a number/],
  [['--moves', '1.5'], /--moves must be a whole number/],
  [['--backend', 'tpu'], /--backend cannot be "tpu"/],
  [['--steps', '20'], /--steps cannot be "20"/],
  [['--steps', ''], /--steps cannot be ""/],
  [['--nonsense'], /nonsense/],
])('%j is refused', (args, message) => {
  expect(() => calibrateOptions(args)).toThrow(message);
});
