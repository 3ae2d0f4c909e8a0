/** Whether numbers look as if drawn from a normal distribution. */

export interface NormalityTest {
  /** Third standardised moment: 0 if symmetric, positive with a longer right tail. */
  readonly skewness: number;
  /** Fourth standardised moment less 3: 0 for a normal distribution, positive with heavy tails. */
  readonly excessKurtosis: number;
  /** n/6·(S² + K²/4), chi-square with 2 degrees of freedom under normality. */
  readonly statistic: number;
  /** How likely a normal sample is to have a statistic at least as large; holds for large n. */
  readonly pValue: number;
}

/**
 * The test of Jarque and Bera (International Statistical Review 55, 1987) with the biased moments,
 * as SciPy has it. NaN where the values have no variance.
 *
 * @throws RangeError for fewer than two values.
 */
export function jarqueBera(values: readonly number[]): NormalityTest {
  const n = values.length;
  if (n < 2) throw new RangeError(`a test of normality needs two values, ${n} given`);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const moment = (power: number): number =>
    values.reduce((sum, value) => sum + (value - mean) ** power, 0) / n;
  const variance = moment(2);
  const skewness = moment(3) / variance ** 1.5;
  const excessKurtosis = moment(4) / variance ** 2 - 3;
  const statistic = (n / 6) * (skewness ** 2 + excessKurtosis ** 2 / 4);
  return { skewness, excessKurtosis, statistic, pValue: Math.exp(-statistic / 2) };
}

export interface Histogram {
  /** Middle of each bin. */
  readonly centres: number[];
  /** Share of all values in each bin, divided by the bin's width: comparable with a density. */
  readonly density: number[];
  /** How many values lie outside all bins. */
  readonly outside: number;
}

/** Even bins over [`from`, `to`). */
export function histogram(
  values: readonly number[],
  from: number,
  to: number,
  bins: number,
): Histogram {
  const width = (to - from) / bins;
  const counts = new Array<number>(bins).fill(0);
  let outside = 0;
  for (const value of values) {
    const bin = Math.floor((value - from) / width);
    if (bin >= 0 && bin < bins) counts[bin]!++;
    else outside++;
  }
  return {
    centres: counts.map((_, bin) => from + (bin + 0.5) * width),
    density: counts.map((count) => count / values.length / width),
    outside,
  };
}

/** Of the standard normal distribution. */
export function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/**
 * What `count` sorted values from a standard normal distribution are about: its quantiles at
 * (i − ½)/count, growing.
 */
export function normalQuantiles(count: number): number[] {
  return Array.from({ length: count }, (_, i) => normalQuantile((i + 0.5) / count));
}

/**
 * The x that a standard normal value stays under with probability `p`, 0 < p < 1: P. J. Acklam's
 * rational approximation, relative error below 1.15e-9.
 */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < TAIL) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(TAIL_NUMERATOR, q) / polynomial(TAIL_DENOMINATOR, q);
  }
  const q = p - 0.5;
  return (q * polynomial(NUMERATOR, q * q)) / polynomial(DENOMINATOR, q * q);
}

const TAIL = 0.02425;

// Highest power first.
const NUMERATOR = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2,
  -3.066479806614716e1, 2.506628277459239,
];
const DENOMINATOR = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1,
  -1.328068155288572e1, 1,
];
const TAIL_NUMERATOR = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734,
  4.374664141464968, 2.938163982698783,
];
const TAIL_DENOMINATOR = [
  7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1,
];

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
