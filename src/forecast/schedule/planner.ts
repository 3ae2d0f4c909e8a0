/**
 * Where to compute: the set of steps with the least predicted error of the final latents, exactly,
 * by dynamic programming over pairs of neighbouring compute steps.
 */
import { GainSums } from './gain-sums.ts';
import { normSquared } from '../linear.ts';
import type { FeatureModel } from './feature-covariance.ts';
import { newtonWeights } from '../bases/newton.ts';

/** Steps from one compute step to the next at most, but for the run's end: beyond, no forecast holds. */
const LONGEST_GAP = 24;

/** Lengths that are told apart: none to the longest. */
const GAP_LENGTHS = LONGEST_GAP + 1;

/** Steps that are told apart; longer runs are planned on every second, third … step. */
const MOST_PLANNED = 128;

export class Planner {
  /** Steps of the run for one of the plan's. */
  readonly #stride: number;
  /** Steps of the plan. */
  readonly #steps: number;
  readonly #flowTimes: readonly number[];
  readonly #correct: boolean;
  readonly #uncorrected: number;
  readonly #covariance: readonly (readonly number[])[];
  readonly #sums: GainSums;
  /** Squared errors of gaps, by state and length; NaN where not yet known. */
  readonly #gaps: Float64Array;
  /** By computes left: least squared error from (previous, current) to the end, and the way. */
  readonly #best: { error: Float64Array; next: Int32Array }[] = [];

  /** The longest that two of `rest`'s compute steps are apart, in steps of the run. */
  get longestGap(): number {
    return LONGEST_GAP * this.#stride;
  }

  /** Steps of the run that the plan takes for one. */
  get stride(): number {
    return this.#stride;
  }

  /** @param flowTimes of all steps and the end: [steps + 1], falling. */
  constructor(model: FeatureModel, flowTimes: ArrayLike<number>, correct: boolean) {
    const runSteps = flowTimes.length - 1;
    this.#stride = Math.ceil(runSteps / MOST_PLANNED);
    this.#flowTimes = Array.from(flowTimes).filter(
      (_, i) => i === runSteps || i % this.#stride === 0,
    );
    this.#steps = this.#flowTimes.length - 1;
    const times = this.#flowTimes.slice(0, -1);
    this.#correct = correct;
    this.#uncorrected = model.uncorrected;
    this.#covariance = model.covariance(times);
    // Error of the final latents for each step made with features wrong by one unit.
    const gains = times.map((t, i) => (t - this.#flowTimes[i + 1]!) * model.gain(t));
    this.#sums = new GainSums(times, gains, this.#covariance);
    this.#gaps = new Float64Array((this.#steps + 1) * this.#steps * GAP_LENGTHS).fill(NaN);
  }

  /**
   * The compute steps after `current` with the least predicted error.
   *
   * @param previous compute step before `current`, or −1 if there is none.
   * @param left how many more steps may be computed.
   */
  rest(previous: number, current: number, left: number): number[] {
    const steps: number[] = [];
    let [a, b] = this.#planned(previous, current);
    for (let m = Math.min(left, this.#steps - 1 - b); m > 0; m--) {
      const next = this.#table(m).next[this.#state(a, b)]!;
      if (next >= this.#steps) break;
      steps.push(next * this.#stride);
      [a, b] = [b, next];
    }
    return steps;
  }

  /** Predicted relative error of the final latents that `rest` leaves. */
  restError(previous: number, current: number, left: number): number {
    const [a, b] = this.#planned(previous, current);
    const m = Math.max(0, Math.min(left, this.#steps - 1 - b));
    return Math.sqrt(this.#table(m).error[this.#state(a, b)]!);
  }

  /** Predicted relative error of the final latents from the forecasts before `end` alone. */
  gapError(previous: number, current: number, end: number): number {
    const [a, b] = this.#planned(previous, current);
    return Math.sqrt(this.#gap(a, b, Math.floor(end / this.#stride)));
  }

  /** Relative error that the straight line through two anchors is predicted to have at `step`. */
  linearError(previous: number, current: number, step: number): number {
    const [a, b] = this.#planned(previous, current);
    const target = Math.floor(step / this.#stride);
    const anchors = a < 0 ? [b] : [b, a];
    const times = anchors.map((anchor) => this.#flowTimes[anchor]!);
    const weights = newtonWeights(times, anchors.length - 1, this.#flowTimes[target]!);
    const terms = [
      [target, -1] as const,
      ...anchors.map((anchor, i) => [anchor, weights[i]!] as const),
    ];
    const squared = normSquared(terms, this.#covariance);
    return Math.sqrt(Math.max(0, squared) / this.#covariance[target]![target]!);
  }

  /** Two compute steps of the run in the plan; where they fall together, the first is forgotten. */
  #planned(previous: number, current: number): [previous: number, current: number] {
    const [a, b] = [Math.floor(previous / this.#stride), Math.floor(current / this.#stride)];
    return [a < b ? a : -1, b];
  }

  #state(previous: number, current: number): number {
    return (previous + 1) * this.#steps + current;
  }

  /** The table for `left` more computes, made from the one before. */
  #table(left: number): { error: Float64Array; next: Int32Array } {
    const n = this.#steps;
    while (this.#best.length <= left) {
      const below = this.#best.at(-1);
      const error = new Float64Array((n + 1) * n);
      const next = new Int32Array((n + 1) * n).fill(n);
      for (let current = 0; current < n; current++) {
        for (const previous of before(current)) {
          const state = this.#state(previous, current);
          let least = this.#gap(previous, current, n);
          const last = Math.min(n - 1, current + LONGEST_GAP);
          for (let b = current + 1; below && b <= last; b++) {
            const sum = this.#gap(previous, current, b) + below.error[this.#state(current, b)]!;
            if (sum < least) [least, next[state]] = [sum, b];
          }
          error[state] = least;
        }
      }
      this.#best.push({ error, next });
    }
    return this.#best[left]!;
  }

  /** Squared error that the forecasts between compute steps `current` and `end` leave behind. */
  #gap(previous: number, current: number, end: number): number {
    if (end <= current + 1) return 0;
    // The gap to the run's end may be of any length, and has a place of its own.
    const length = end === this.#steps ? 0 : end - current;
    if (length >= GAP_LENGTHS) return this.#gapSquared(previous, current, end);
    const key = this.#state(previous, current) * GAP_LENGTHS + length;
    if (Number.isNaN(this.#gaps[key])) {
      this.#gaps[key] = this.#gapSquared(previous, current, end);
    }
    return this.#gaps[key]!;
  }

  #gapSquared(previous: number, current: number, end: number): number {
    const forecast = this.#accumulated(current, previous, current, end);
    if (!this.#correct || end === this.#steps) return forecast;
    return this.#accumulated(end, current, current, end) + this.#uncorrected * forecast;
  }

  /**
   * |Σ gain·(F̂ − F)|² over the steps strictly between `from` and `to`, where F̂ is the line through
   * the features at `a` and `b` (at `a` alone if `b` is −1): |A·F(a) + B·F(b) − Σ gain·F|².
   */
  #accumulated(a: number, b: number, from: number, to: number): number {
    const sums = this.#sums;
    const gain = sums.gain(from, to);
    const other = Math.max(b, 0);
    const [ta, tb] = [this.#flowTimes[a]!, this.#flowTimes[other]!];
    const share = b < 0 ? 0 : (sums.gainTime(from, to) - ta * gain) / (tb - ta);
    const rest = gain - share;
    const [ca, cb] = [this.#covariance[a]!, this.#covariance[other]!];
    const squared =
      rest * rest * ca[a]! +
      share * share * cb[other]! +
      2 * rest * share * ca[other]! -
      2 * rest * sums.product(a, from, to) -
      2 * share * sums.product(other, from, to) +
      sums.square(from, to);
    return Math.max(0, squared);
  }
}

/** What may be the compute step before `current`: none, or one near enough. */
function before(current: number): number[] {
  const first = Math.max(0, current - LONGEST_GAP);
  return [-1, ...Array.from({ length: current - first }, (_, i) => first + i)];
}
