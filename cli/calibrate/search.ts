/** Search for the best compute steps: first the constants that plans are made with, then each plan. */
import { calibratedModel, type Sensitivity } from '../../src/forecast/calibration.ts';
import { LINEAR } from '../../src/forecast/verification/candidates.ts';
import {
  type FeatureConstants,
  GENERIC_CONSTANTS,
} from '../../src/forecast/schedule/feature-covariance.ts';
import { Planner } from '../../src/forecast/schedule/planner.ts';
import type { Forecaster } from '../../src/forecast/settings.ts';
import { type Errors, isBetter, meanLogError, type Plan } from './trials.ts';
import { mean } from '../../src/shared/statistics.ts';

/** Numbers from 0 to 1, the same ones for the same seed (Park and Miller's generator). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Planner for runs with these flow times, by these constants. */
export type PlannerOf = (constants: FeatureConstants, steps: number) => Planner;

export function plannerOf(
  sensitivity: Sensitivity,
  flowTimesOf: (steps: number) => ArrayLike<number>,
): PlannerOf {
  return (constants, steps) =>
    new Planner(calibratedModel(constants, sensitivity), flowTimesOf(steps), true);
}

/** What is planned: so many compute steps of so many. */
export interface Budget {
  readonly steps: number;
  readonly budget: number;
}

/** Whether the plan spends this budget. */
export function spends(plan: Plan, { steps, budget }: Budget): boolean {
  return plan.steps === steps && plan.computeSteps.length === budget;
}

/** What a constant may be changed by in one round: a factor's logarithm, or a difference. */
const SPREAD: Readonly<Record<Exclude<keyof FeatureConstants, 'gain'>, number>> = {
  length: 0.25,
  noiseSpeed: 0.6,
  noiseEdge: 1.2,
  pictureSpeed: 0.6,
  pictureEdge: 1.2,
  uncorrected: 1.2,
  sensitivity: 0.5,
};
const CHANGED_SHARE = 0.6;

/** Steps grow after a success and shrink after a failure, so that about one in four succeeds. */
const GROWTH = 1.2;
const SHRINKAGE = 0.95;
const LEAST_SPREAD = 0.3;

/**
 * The constants whose plans err least at these budgets, by a (1+1) evolution strategy from the
 * generic ones: a random change is kept if plans get better by it. And the best plan that was met
 * for each of the budgets, in their order, whatever its constants.
 */
export async function searchConstants(
  errors: Errors,
  planner: PlannerOf,
  budgets: readonly Budget[],
  rounds: number,
  onRound: () => void,
): Promise<{ constants: FeatureConstants; plans: Plan[] }> {
  const random = randomNumbers(1);
  const known = new Map<string, { readonly plan: Plan; readonly error: number }>();
  const logErrorOf = async (plan: Plan): Promise<number> => {
    const key = JSON.stringify(plan);
    const found = known.get(key) ?? { plan, error: await meanLogError(errors, plan) };
    known.set(key, found);
    return found.error;
  };
  const total = async (constants: FeatureConstants): Promise<number> => {
    const all: number[] = [];
    for (const { steps, budget } of budgets) {
      all.push(await logErrorOf(planned(planner(constants, steps), steps, budget)));
    }
    return mean(all);
  };
  let best = GENERIC_CONSTANTS;
  let least = await total(best);
  let spread = 1;
  for (let round = 0; round < rounds; round++) {
    const changed = change(best, spread, random);
    const error = await total(changed);
    if (error < least) [best, least, spread] = [changed, error, spread * GROWTH];
    else spread = Math.max(LEAST_SPREAD, spread * SHRINKAGE);
    onRound();
  }
  const plans = budgets.map((budget) => {
    const met = [...known.values()].filter(({ plan }) => spends(plan, budget));
    return met.reduce((a, b) => (b.error < a.error ? b : a)).plan;
  });
  return { constants: best, plans };
}

function change(
  constants: FeatureConstants,
  spread: number,
  random: () => number,
): FeatureConstants {
  const changed = { ...constants };
  for (const name of Object.keys(SPREAD) as (keyof typeof SPREAD)[]) {
    // The same numbers are drawn for every constant, whether it changes or not.
    const [chosen, by] = [random() < CHANGED_SHARE, spread * SPREAD[name] * (2 * random() - 1)];
    if (!chosen) continue;
    changed[name] = name === 'sensitivity' ? constants[name] + by : constants[name] * Math.exp(by);
  }
  return changed;
}

/** The planner's set for a budget, straight lines between. */
export function planned(planner: Planner, steps: number, budget: number): Plan {
  const computeSteps = [0, ...planner.rest(-1, 0, budget - 1)];
  return { steps, computeSteps, forecaster: LINEAR };
}

/** The plan with one more compute step, in the middle of the gap that is predicted to err most. */
export function grown({ steps, computeSteps, forecaster }: Plan, planner: Planner): Plan {
  const ends = [...computeSteps.slice(1), steps];
  const errors = computeSteps.map((step, i) =>
    planner.gapError(computeSteps[i - 1] ?? -1, step, ends[i]!),
  );
  const worst = errors.indexOf(Math.max(...errors));
  const middle = Math.floor((computeSteps[worst]! + ends[worst]!) / 2);
  return { steps, computeSteps: computeSteps.toSpliced(worst + 1, 0, middle), forecaster };
}

/** Beside the straight line: damped and enhanced ones, and the parabola. */
const FORECASTERS: readonly Forecaster[] = [
  { ...LINEAR, basis: 'hermite', order: 1, sigma: 0.6 },
  { ...LINEAR, basis: 'hermite', order: 1, sigma: 0.8 },
  { ...LINEAR, basis: 'hermite', order: 2, sigma: 0.5 },
  { ...LINEAR, basis: 'newton', order: 2 },
];

/**
 * The best plan for one budget: the best of `starts`, moved about at random as long as that helps,
 * then the best forecaster for it.
 */
export async function searchPlan(
  errors: Errors,
  starts: readonly Plan[],
  moves: number,
): Promise<Plan> {
  let [best] = starts as [Plan, ...Plan[]];
  const tried = new Set<string>();
  const attempt = async (plan: Plan): Promise<void> => {
    const key = JSON.stringify(plan);
    if (tried.has(key)) return;
    tried.add(key);
    if (await isBetter(errors, plan, best)) best = plan;
  };
  for (const start of starts) await attempt(start);
  const random = randomNumbers(best.computeSteps.length);
  for (let move = 0; move < moves; move++) {
    const computeSteps = moved(best, random);
    if (computeSteps) await attempt({ ...best, computeSteps });
  }
  for (const forecaster of FORECASTERS) await attempt({ ...best, forecaster });
  return best;
}

/** A change goes to all later compute steps as well so often. */
const SHIFTED_SHARE = 0.2;
/** A second compute step moves as well so often. */
const SECOND_SHARE = 0.4;
const FARTHEST = 3;

/** The compute steps with one or two moved, or all from one on; undefined if that is no set. */
function moved({ computeSteps, steps }: Plan, random: () => number): number[] | undefined {
  if (computeSteps.length < 2) return undefined;
  const changed = [...computeSteps];
  const pick = (): number => 1 + Math.floor(random() * (changed.length - 1));
  const by = (): number => (random() < 0.5 ? -1 : 1) * (1 + Math.floor(random() * FARTHEST));
  if (random() < SHIFTED_SHARE) {
    const distance = Math.sign(by());
    for (let i = pick(); i < changed.length; i++) changed[i]! += distance;
  } else {
    changed[pick()]! += by();
    if (random() < SECOND_SHARE) changed[pick()]! += by();
  }
  changed.sort((a, b) => a - b);
  const valid = changed.every((step, i) => step < steps && (i === 0 || step > changed[i - 1]!));
  return valid && changed[0] === 0 ? changed : undefined;
}
