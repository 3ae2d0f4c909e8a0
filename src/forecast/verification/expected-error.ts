/** What errors a model of features expects of the candidates, before any of them was tried. */
import { CANDIDATES } from './candidates.ts';
import { normSquared } from '../linear.ts';
import type { FeatureModel } from '../schedule/feature-covariance.ts';
import type { Forecaster } from '../settings.ts';

/** Part of a feature that follows from no other, relative to its size. */
const UNFORESEEN = 0.05;

type Weights = (forecaster: Forecaster, anchors: readonly number[], step: number) => number[];

export class Expectation {
  readonly #flowTimes: ArrayLike<number>;
  readonly #covariance: () => number[][];
  readonly #weights: Weights;
  /** What `upTo` said last; all forecasts between two compute steps ask the same. */
  #last: { readonly from: number; readonly to: number; readonly errors: number[] } | undefined;

  /**
   * @param flowTimes of all steps and the end: [steps + 1], falling.
   * @param weights of a forecaster's anchors, newest first, for a step.
   */
  constructor(flowTimes: ArrayLike<number>, features: FeatureModel, weights: Weights) {
    this.#flowTimes = flowTimes;
    let covariance: number[][] | undefined;
    this.#covariance = () =>
      (covariance ??= features.covariance(Array.from(flowTimes).slice(0, -1)));
    this.#weights = weights;
  }

  /** Relative error of each of `CANDIDATES` at one step. */
  atStep(anchors: readonly number[], step: number): number[] {
    return CANDIDATES.map((forecaster) => this.#summed(forecaster, anchors, [[step, 1]]));
  }

  /**
   * Error that each of `CANDIDATES` leaves in the latents with its forecasts from the newest anchor
   * to `next`, a compute step or the end. That of one step says little: one candidate may be better
   * near the anchor and another far from it.
   */
  upTo(next: number, anchors: readonly number[]): readonly number[] {
    const from = anchors[0]! + 1;
    if (this.#last?.from === from && this.#last.to === next) return this.#last.errors;
    const steps = Array.from({ length: next - from }, (_, i) => {
      const step = from + i;
      return [step, this.#flowTimes[step]! - this.#flowTimes[step + 1]!] as const;
    });
    const errors = CANDIDATES.map((forecaster) => this.#summed(forecaster, anchors, steps));
    this.#last = { from, to: next, errors };
    return errors;
  }

  /** |Σ share·(F̂ − F)| over steps, relative to a mean feature. */
  #summed(
    forecaster: Forecaster,
    anchors: readonly number[],
    steps: readonly (readonly [step: number, share: number])[],
  ): number {
    const total = anchors.map(() => 0);
    for (const [step, share] of steps) {
      this.#weights(forecaster, anchors, step).forEach((weight, j) => {
        total[j]! += share * weight;
      });
    }
    const terms = [
      ...steps.map(([step, share]) => [step, -share] as const),
      ...total.map((weight, j) => [anchors[j]!, weight] as const),
    ];
    // What no model foresees, each anchor has by itself: large weights magnify it.
    const unforeseen = total.reduce((sum, weight) => sum + (UNFORESEEN * weight) ** 2, 0);
    return Math.sqrt(Math.max(0, unforeseen + normSquared(terms, this.#covariance())));
  }
}
