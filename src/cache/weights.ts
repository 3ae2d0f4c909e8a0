/** A forecast as weights over the raw anchors: F̂(target) = Σⱼ wⱼ·F(anchorⱼ). */
import { differenceCoefficients } from './coefficients.ts';
import { differenceWeights } from './differences.ts';
import type { CacheSettings } from './settings.ts';

/**
 * The weight of each anchor, newest first; anchors that the basis does not read are left out,
 * so the result may be shorter than `anchors`. With fewer anchors than the order needs, the
 * highest order that they allow; one anchor is plain reuse.
 *
 * @param anchors step positions, newest first, strictly falling, at least one.
 * @param target step position to forecast, after the newest anchor.
 */
export function forecastWeights(
  settings: CacheSettings,
  anchors: readonly number[],
  target: number,
): number[] {
  const newest = anchors[0];
  if (newest === undefined) throw new RangeError('a forecast needs at least one anchor');
  const order = usableOrder(settings, anchors.length);
  const rows = differenceWeights(settings.differences, anchors.slice(0, order + 1), order);
  const coefficients = differenceCoefficients(settings, order, target - newest);
  return rows[0]!.map((_, j) => rows.reduce((sum, row, i) => sum + coefficients[i]! * row[j]!, 0));
}

/** The order that so many anchors allow: the one set, or one less than the anchors. */
export function usableOrder({ basis, order }: CacheSettings, anchors: number): number {
  if (basis === 'none' || basis === 'reuse') return 0;
  return Math.min(order, anchors - 1);
}
