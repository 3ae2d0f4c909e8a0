/** Order statistics and distances of measured values. */

/**
 * The value below which a share `q` (0 to 1) of the values lies, linear between neighbours as
 * numpy's default; q = 0.5 is the median. Infinite values are allowed.
 */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError('nothing has no quantile');
  const sorted = values.toSorted((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  // Without this, two infinite neighbours would differ by NaN.
  if (below === above) return below;
  const share = position - Math.floor(position);
  return share === 0 ? below : below + share * (above - below);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('nothing has no mean');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Length of actual - expected over that of expected. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) throw new RangeError('vectors of different lengths');
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < actual.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}
