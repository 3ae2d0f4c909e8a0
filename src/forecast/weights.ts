/** A forecast as weights over the raw anchors: F̂(target) = Σⱼ wⱼ·F(anchorⱼ). */
import { chebyshevWeights } from './bases/chebyshev.ts';
import { differenceCoefficients } from './bases/coefficients.ts';
import { differenceWeights } from './bases/differences.ts';
import { dmdWeights } from './bases/dmd.ts';
import type { Gram } from './verification/gram.ts';
import { newtonWeights } from './bases/newton.ts';
import { BASES_WITH_ORDER, type Forecaster } from './settings.ts';

export interface ForecastContext {
  /** Positions of the run's first and last step, which `chebyshev` maps to [−1, 1]. */
  readonly span: readonly [first: number, last: number];
  /** Inner products of the anchors, the same newest one; without them `dmd` is linear. */
  readonly gram: Gram | null;
}

/**
 * The weight of each anchor, newest first; anchors that the basis does not read are left out,
 * so the result may be shorter than `anchors`. With fewer anchors than the order needs, the
 * highest order that they allow; one anchor is plain reuse.
 *
 * @param anchors positions, newest first, strictly falling, at least one.
 * @param target position to forecast, after the newest anchor.
 */
export function forecastWeights(
  forecaster: Omit<Forecaster, 'abscissa'>,
  anchors: readonly number[],
  target: number,
  context: ForecastContext,
): number[] {
  const newest = anchors[0];
  if (newest === undefined) throw new RangeError('a forecast needs at least one anchor');
  const { basis } = forecaster;
  if (basis === 'chebyshev') return chebyshevWeights(anchors, target, context.span);
  if (basis === 'dmd') {
    const weights = context.gram && dmdWeights(anchors, target, context.gram);
    return weights ?? newtonWeights(anchors, Math.min(1, anchors.length - 1), target);
  }
  const order = usableOrder(forecaster, anchors.length);
  if (basis === 'newton') return newtonWeights(anchors, order, target);
  const rows = differenceWeights(forecaster.differences, anchors.slice(0, order + 1), order);
  const coefficients = differenceCoefficients(forecaster, order, target - newest);
  return rows[0]!.map((_, j) => rows.reduce((sum, row, i) => sum + coefficients[i]! * row[j]!, 0));
}

/** The order that so many anchors allow: the one set, or one less than the anchors. */
export function usableOrder(
  { basis, order }: Pick<Forecaster, 'basis' | 'order'>,
  anchors: number,
): number {
  return BASES_WITH_ORDER.includes(basis) ? Math.min(order, anchors - 1) : 0;
}
