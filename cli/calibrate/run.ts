/** The parts of a calibration, one after another. */
import type { CalibratedPlan, Calibration } from '../../src/forecast/calibration.ts';
import {
  type FeatureConstants,
  GENERIC_CONSTANTS,
} from '../../src/forecast/schedule/feature-covariance.ts';
import type { Planner } from '../../src/forecast/schedule/planner.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { Engine } from '../../src/sampling/generate.ts';
import { gridOf } from '../../src/sampling/latents.ts';
import { flowTimes, shiftFor } from '../../src/sampling/scheduler.ts';
import type { Subject } from '../bench/run.ts';
import { type Done, once } from './file.ts';
import { type Phase, Progress } from './progress.ts';
import {
  type Budget,
  grown,
  planned,
  type PlannerOf,
  plannerOf,
  searchConstants,
  searchPlan,
  spends,
} from './search.ts';
import {
  meanSensitivity,
  measureSensitivity,
  sensitivityCalls,
  type StepGains,
} from './sensitivity.ts';
import { FIRST_LOOK, meanLogError, type Plan, Trials } from './trials.ts';
import { mean } from '../../src/shared/statistics.ts';

export interface CalibrateControl {
  /** Those that get a plan of their own. */
  readonly budgets: readonly Budget[];
  readonly rounds: number;
  readonly moves: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const range = (steps: number, from: number, to: number): Budget[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ steps, budget: from + i }));

export const BUDGETS: readonly Budget[] = [...range(50, 5, 25), ...range(28, 4, 14)];

/** Runs of other numbers of steps get no plans, but go by the constants. */
export const CALIBRATED_STEPS: readonly number[] = [50, 28];

/** Those by which the constants are judged that serve all others. */
const JUDGED: readonly Budget[] = [
  { steps: 50, budget: 7 },
  { steps: 50, budget: 9 },
  { steps: 50, budget: 14 },
  { steps: 28, budget: 6 },
  { steps: 28, budget: 10 },
];

/** Forecasts may be exact; their errors have logarithms too. */
const LEAST = 1e-6;

/**
 * @param file has what was measured before, and gets what is measured now.
 * @throws AppError `cancelled` after the signal.
 */
export async function calibrate(
  engine: Engine,
  subjects: readonly Subject[],
  file: Done,
  { budgets, rounds, moves, signal, onProgress }: CalibrateControl,
): Promise<Calibration> {
  const { scheduler } = engine.manifest;
  const grid = gridOf(subjects[0]!, engine.manifest);
  const tokens = grid.rows * grid.columns;
  const timesOf = (steps: number): number[] => Array.from(flowTimes(steps, tokens, scheduler));

  const stepCounts = budgets.map(({ steps }) => steps);
  const judged = JUDGED.filter(({ steps }) => stepCounts.includes(steps));
  /** Of the runs in which the sensitivity is measured. */
  const probed = Math.max(...stepCounts);

  const estimated = phases(subjects.length, { budgets, judged, probed, rounds, moves });
  const progress = new Progress(estimated, onProgress);
  const trials = new Trials(engine, subjects, file, signal, (calls) => progress.made(calls));

  const gains: StepGains[] = [];
  for (const [i, subject] of subjects.entries()) {
    if (signal.aborted) throw new AppError('cancelled', 'The calibration was cancelled.', '');
    const measure = (): Promise<StepGains> =>
      measureSensitivity(engine, subject, probed, (calls) => progress.made(calls));
    gains.push(await once(file, `sensitivity ${probed} ${i}`, measure));
    progress.at((i + 1) / subjects.length);
  }
  const sensitivity = meanSensitivity(gains, timesOf(probed));

  const planner = plannerOf(sensitivity, timesOf);
  let round = 0;
  const { constants, plans: met } = await searchConstants(trials, planner, judged, rounds, () =>
    progress.at(++round / (rounds + 1)),
  );
  progress.at(1);

  const planFor = planFinder(trials, planner, constants, met, moves);
  const plans: CalibratedPlan[] = [];
  for (const [i, budget] of budgets.entries()) {
    plans.push(await planFor(budget, plans));
    progress.at((i + 1) / budgets.length);
  }
  const verified = await usualRatio(trials, plans.filter(isJudged), ({ steps }) =>
    planner(constants, steps),
  );

  const unit = { ...constants, gain: 1 };
  const gain = scale(plans, (steps, budget) => planner(unit, steps).restError(-1, 0, budget - 1));
  return {
    version: 1,
    shift: shiftFor(tokens, scheduler),
    pictures: subjects.length,
    sensitivity: {
      flowTimes: sensitivity.flowTimes.map(rounded),
      gains: sensitivity.gains.map(rounded),
    },
    constants: roundedConstants({ ...constants, gain }),
    plans,
    verified: rounded(verified),
  };
}

/** Searches the plan for a budget, given those of smaller ones. */
function planFinder(
  trials: Trials,
  planner: PlannerOf,
  constants: FeatureConstants,
  met: readonly Plan[],
  moves: number,
): (budget: Budget, plans: readonly CalibratedPlan[]) => Promise<CalibratedPlan> {
  const measured = async (plan: Plan): Promise<CalibratedPlan> => ({
    ...plan,
    error: rounded(Math.exp(await meanLogError(trials, plan))),
  });
  return async ({ steps, budget }, plans) => {
    const model = planner(constants, steps);
    const starts = [
      planned(model, steps, budget),
      planned(planner(GENERIC_CONSTANTS, steps), steps, budget),
      ...met.filter((one) => spends(one, { steps, budget })),
    ] as const;
    const plan = await measured(await searchPlan(trials, starts, moves));
    const smaller = plans.find((one) => spends(one, { steps, budget: budget - 1 }));
    if (!smaller || smaller.error > plan.error) return plan;
    // Search was less lucky here than with a step less.
    const more = await measured(grown(smaller, model));
    const better = await measured(await searchPlan(trials, [more], moves));
    return [plan, more, better].reduce((a, b) => (b.error < a.error ? b : a));
  };
}

/** Verified over predicted errors of straight lines, in the pictures of these plans. */
async function usualRatio(
  trials: Trials,
  plans: readonly Plan[],
  plannerFor: (plan: Plan) => Planner,
): Promise<number> {
  const ratios: number[] = [];
  for (const plan of plans) {
    const planner = plannerFor(plan);
    for (let picture = 0; picture < trials.pictures; picture++) {
      for (const { previous, current, step, error } of await trials.lines(plan, picture)) {
        const predicted = planner.linearError(previous, current, step);
        ratios.push(Math.log(Math.max(error, LEAST) / Math.max(predicted, LEAST)));
      }
    }
  }
  return Math.exp(mean(ratios));
}

function isJudged(plan: Plan): boolean {
  return JUDGED.some((budget) => spends(plan, budget));
}

/** What makes predicted errors of all plans right on average. */
function scale(
  plans: readonly CalibratedPlan[],
  predicted: (steps: number, budget: number) => number,
): number {
  const ratios = plans.map(({ steps, computeSteps, error }) =>
    Math.log(error / predicted(steps, computeSteps.length)),
  );
  return Math.exp(mean(ratios));
}

/** Estimated by how often plans repeat in the search for constants, and how soon moves fail. */
function phases(
  pictures: number,
  {
    budgets,
    judged,
    probed,
    rounds,
    moves,
  }: {
    readonly budgets: readonly Budget[];
    readonly judged: readonly Budget[];
    readonly probed: number;
    readonly rounds: number;
    readonly moves: number;
  },
): Phase[] {
  const calls = (counted: readonly Budget[]): number =>
    counted.reduce((sum, { budget }) => sum + budget, 0);
  return [
    { name: 'sensitivity', calls: pictures * sensitivityCalls(probed) },
    { name: 'constants', calls: pictures * calls(judged) * (1 + 0.5 * rounds) },
    { name: 'plans', calls: calls(budgets) * (pictures + FIRST_LOOK * (moves + 5)) },
  ];
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

function roundedConstants(constants: FeatureConstants): FeatureConstants {
  const entries = Object.entries(constants).map(([name, value]) => [
    name,
    rounded(value as number),
  ]);
  return Object.fromEntries(entries) as FeatureConstants;
}
