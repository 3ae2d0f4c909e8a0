/** Plans outlive runs: the next picture mostly has the same flow times. */
import type { FeatureModel } from './feature-covariance.ts';
import { Planner } from './planner.ts';

/** With and without correction, of two kinds of runs. */
const KEPT = 4;

interface Known {
  readonly model: FeatureModel;
  readonly flowTimes: readonly number[];
  readonly correct: boolean;
  readonly planner: Planner;
}

let known: readonly Known[] = [];

/** The planner for these, the same one as before if it was used lately. */
export function plannerFor(
  model: FeatureModel,
  flowTimes: ArrayLike<number>,
  correct: boolean,
): Planner {
  const found = known.find(
    (other) =>
      other.model === model &&
      other.correct === correct &&
      other.flowTimes.length === flowTimes.length &&
      other.flowTimes.every((time, i) => time === flowTimes[i]),
  );
  const newest = found ?? made(model, Array.from(flowTimes), correct);
  known = [newest, ...known.filter((other) => other !== newest)].slice(0, KEPT);
  return newest.planner;
}

function made(model: FeatureModel, flowTimes: readonly number[], correct: boolean): Known {
  return { model, flowTimes, correct, planner: new Planner(model, flowTimes, correct) };
}
