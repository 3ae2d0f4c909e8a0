/**
 * Where to compute: the set of steps with the least predicted error of the final latents, exactly,
 * by dynamic programming over pairs of neighbouring compute steps.
 */
import type { FeatureModel } from './model.ts';
import { newtonWeights } from './newton.ts';

/**
 * How much of an extrapolation's error stays when a compute step corrects it: the latents are put
 * right, but the features were computed on wrong ones.
 */
const UNCORRECTED_SHARE = 1;

/** Steps from one compute step to the next at most, but for the run's end: beyond, no forecast holds. */
const LONGEST_GAP = 24;

/** Steps that are told apart; longer runs are planned on every second, third … step. */
const MOST_PLANNED = 128;

export class Planner {
  /** Steps of the run for one of the plan's. */
  readonly #stride: number;
  /** Steps of the plan. */
  readonly #steps: number;
  readonly #flowTimes: readonly number[];
  readonly #covariance: number[][];
  /** Error of the final latents for each step made with features wrong by one unit. */
  readonly #gains: readonly number[];
  readonly #correct: boolean;
  readonly #gapErrors = new Map<number, number>();
  /** By computes left: least squared error from (previous, current) to the end, and the way. */
  readonly #best: { error: Float64Array; next: Int32Array }[] = [];

  /** @param flowTimes of all steps and the end: [steps + 1], falling. */
  constructor(model: FeatureModel, flowTimes: ArrayLike<number>, correct: boolean) {
    const runSteps = flowTimes.length - 1;
    this.#stride = Math.ceil(runSteps / MOST_PLANNED);
    this.#flowTimes = Array.from(flowTimes).filter(
      (_, i) => i === runSteps || i % this.#stride === 0,
    );
    this.#steps = this.#flowTimes.length - 1;
    const times = this.#flowTimes.slice(0, -1);
    this.#covariance = model.covariance(times);
    this.#gains = times.map((t, i) => (t - this.#flowTimes[i + 1]!) * model.gain(t));
    this.#correct = correct;
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
    const residual = this.#residual(a < 0 ? [b] : [b, a], target);
    return Math.sqrt(this.#normSquared(residual) / this.#covariance[target]![target]!);
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
    const n = this.#steps;
    const key = (this.#state(previous, current) + 1) * (n + 1) + end;
    const known = this.#gapErrors.get(key);
    if (known !== undefined) return known;
    const anchors = previous < 0 ? [current] : [current, previous];
    let squared = this.#accumulated(anchors, current, end);
    if (this.#correct && end < n) {
      squared = this.#accumulated([end, current], current, end) + UNCORRECTED_SHARE * squared;
    }
    this.#gapErrors.set(key, squared);
    return squared;
  }

  /** |Σ gain·(F̂ − F)|² over the steps strictly between, F̂ the line through `anchors`. */
  #accumulated(anchors: readonly number[], from: number, to: number): number {
    const sum = new Map<number, number>();
    for (let step = from + 1; step < to; step++) {
      for (const [at, weight] of this.#residual(anchors, step)) {
        sum.set(at, (sum.get(at) ?? 0) + this.#gains[step]! * weight);
      }
    }
    return this.#normSquared([...sum]);
  }

  /** F̂ − F at `step` as weights of true features. */
  #residual(anchors: readonly number[], step: number): [step: number, weight: number][] {
    const positions = anchors.map((anchor) => this.#flowTimes[anchor]!);
    const weights = newtonWeights(positions, anchors.length - 1, this.#flowTimes[step]!);
    return [[step, -1], ...anchors.map((a, j): [number, number] => [a, weights[j]!])];
  }

  #normSquared(terms: readonly (readonly [step: number, weight: number])[]): number {
    let sum = 0;
    for (const [i, a] of terms) for (const [j, b] of terms) sum += a * b * this.#covariance[i]![j]!;
    return Math.max(0, sum);
  }
}

/** What may be the compute step before `current`: none, or one near enough. */
function before(current: number): number[] {
  const first = Math.max(0, current - LONGEST_GAP);
  return [-1, ...Array.from({ length: current - first }, (_, i) => first + i)];
}
