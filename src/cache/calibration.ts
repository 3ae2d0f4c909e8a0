/** What was measured of a model once, on prompts of its own: a feature model from figures. */
import type { FeatureModel } from './model.ts';

export interface Calibration {
  /** Flow times at which features were taken, falling. */
  readonly flowTimes: readonly number[];
  /**
   * Mean inner products of the features at all pairs of those times, relative to a mean feature's
   * square: packed upper triangle, row by row.
   */
  readonly covariance: readonly number[];
  /** `FeatureModel.gain` at those times. */
  readonly gains: readonly number[];
}

/**
 * The model between and beyond the measured times: features are taken as linear in flow time from
 * one measured time to the next, which keeps every predicted square positive.
 */
export function calibratedModel({ flowTimes, covariance, gains }: Calibration): FeatureModel {
  const size = flowTimes.length;
  const at = (i: number, j: number): number => {
    const [low, high] = i < j ? [i, j] : [j, i];
    return covariance[low * size - (low * (low - 1)) / 2 + high - low]!;
  };
  return {
    covariance: (times) => {
      const parts = times.map((t) => between(flowTimes, t));
      return parts.map((a) =>
        parts.map((b) =>
          a.reduce(
            (sum, [i, wi]) => sum + b.reduce((inner, [j, wj]) => inner + wi * wj * at(i, j), 0),
            0,
          ),
        ),
      );
    },
    gain: (t) => between(flowTimes, t).reduce((sum, [i, weight]) => sum + weight * gains[i]!, 0),
  };
}

/** `t` between two of the falling `times`: their indices and shares. */
function between(times: readonly number[], t: number): [index: number, share: number][] {
  const after = times.findIndex((time) => time <= t);
  if (after === 0) return [[0, 1]];
  if (after < 0) return [[times.length - 1, 1]];
  const [high, low] = [times[after - 1]!, times[after]!];
  const share = (high - t) / (high - low);
  return [
    [after - 1, 1 - share],
    [after, share],
  ];
}
