/** Schedules that spend a given number of compute steps, for methods that have other knobs. */
import { plannedComputeSteps } from '../../src/forecast/schedule/interval.ts';
import { type CacheSettings, LIMITS } from '../../src/forecast/settings.ts';
import { AppError } from '../../src/shared/errors.ts';

type Interval = Pick<CacheSettings, 'interval' | 'firstEnhance'>;

/** As published, for HiCache and TaylorSeer on FLUX. */
const PUBLISHED_FIRST = 3;

/**
 * The published schedule with other numbers, so that exactly `budget` of `steps` are computed, or
 * as many below it as possible. Among equals: as many first steps as published, or nearly; then
 * the shortest interval, which leaves the shortest reach to the forecasts between.
 * @throws AppError `bad-request` if every interval computes more than `budget`.
 */
export function intervalFor(steps: number, budget: number): Interval {
  const choices: (Interval & { count: number })[] = [];
  for (let interval = LIMITS.interval.min; interval <= LIMITS.interval.max; interval++) {
    for (let first = LIMITS.firstEnhance.min; first <= LIMITS.firstEnhance.max; first++) {
      const chosen = { interval, firstEnhance: first };
      const { length: count } = plannedComputeSteps(steps, { basis: 'hermite', ...chosen });
      if (count <= budget) choices.push({ ...chosen, count });
    }
  }
  const off = ({ firstEnhance }: Interval): number => Math.abs(firstEnhance - PUBLISHED_FIRST);
  const [best] = choices.toSorted(
    (a, b) =>
      b.count - a.count ||
      off(a) - off(b) ||
      b.firstEnhance - a.firstEnhance ||
      a.interval - b.interval,
  );
  if (best) return { interval: best.interval, firstEnhance: best.firstEnhance };
  throw new AppError(
    'bad-request',
    `No interval computes as few as ${budget} of ${steps} steps.`,
    `Intervals reach up to ${LIMITS.interval.max} steps; use larger --budgets.`,
  );
}

/** Spectrum's schedule: all of the first steps, then after ever longer windows. */
const WARM_UP = 5;
const FIRST_WINDOW = 2;
const PUBLISHED_GROWTH = 0.75;
const GROWTH_STEP = 0.05;
const MOST_GROWTH = 100;

/**
 * Spectrum's compute steps: after the warm-up, a step computes when the forecasts before it and
 * itself are a multiple of floor(window); every such step makes the window longer by `growth`.
 */
export function spectrumComputeSteps(steps: number, growth: number): number[] {
  const computed: number[] = [];
  let window = FIRST_WINDOW;
  let forecasts = 0;
  for (let step = 0; step < steps; step++) {
    if (step >= WARM_UP && (forecasts + 1) % Math.floor(window) !== 0) {
      forecasts++;
      continue;
    }
    computed.push(step);
    forecasts = 0;
    if (step >= WARM_UP) window += growth;
  }
  return computed;
}

/**
 * The growth nearest to the published one that computes exactly `budget` steps, or as many below
 * it as possible; if all compute more, the one that computes fewest.
 */
export function spectrumGrowth(steps: number, budget: number): number {
  const growths = Array.from(
    { length: MOST_GROWTH / GROWTH_STEP + 1 },
    (_, i) => Math.round(100 * i * GROWTH_STEP) / 100,
  );
  const off = (growth: number): number => Math.abs(growth - PUBLISHED_GROWTH);
  const missed = (growth: number): number => {
    const { length: count } = spectrumComputeSteps(steps, growth);
    return count > budget ? steps + count : budget - count;
  };
  return growths
    .map((growth) => ({ growth, missed: missed(growth), off: off(growth) }))
    .reduce((best, one) =>
      one.missed < best.missed || (one.missed === best.missed && one.off < best.off) ? one : best,
    ).growth;
}
