/**
 * Dynamic mode decomposition (HiCache++): features as a sum of modes bₘ·λₘᵗ. By the method of
 * snapshots its weights follow from the anchors' inner products alone.
 */
import type { Gram } from '../verification/gram.ts';
import { solve } from '../linear.ts';

/** Fewer anchors cannot tell modes from noise. */
const LEAST_ANCHORS = 4;

/** Weights that add up to more in absolute value would magnify rounding and noise. */
const MOST_WEIGHT = 30;

interface Complex {
  readonly re: number;
  readonly im: number;
}

/**
 * Weights over the newest anchors, or null where there is no safe decomposition: fewer than four
 * evenly spaced anchors, anchors that depend on each other linearly, modes that coincide,
 * or weights too large to trust. The caller then forecasts linearly.
 *
 * @param anchors positions, newest first.
 * @param gram of exactly these anchors, newest first; more may follow.
 */
export function dmdWeights(
  anchors: readonly number[],
  target: number,
  gram: Gram,
): number[] | null {
  const even = evenlySpaced(anchors).slice(0, gram.older + 1);
  if (even.length < LEAST_ANCHORS) return null;
  const modes = even.length - 1;
  const gap = even[0]! - even[1]!;
  // The newest anchor as a sum of the older ones: Gc = g, anchors 1 … modes, newest first.
  const inner = Array.from({ length: modes }, (_, i) =>
    Array.from({ length: modes }, (_, j) => gram.anchorProduct(i + 1, j + 1)),
  );
  const sum = solve(
    inner,
    inner.map((_, i) => gram.anchorProduct(0, i + 1)),
  );
  if (!sum) return null;
  // λ^modes = Σ c_i λ^(modes − 1 − i): the companion polynomial, highest power first.
  const eigenvalues = roots([1, ...sum.map((c) => -c)]);
  const exponent = modes - 1 + (target - even[0]!) / gap;
  // Σⱼ wⱼ·λₘ^(modes − 1 − j) = λₘ^exponent for every mode: interpolation at the eigenvalues.
  const weights = interpolate(
    eigenvalues,
    eigenvalues.map((value) => power(value, exponent)),
  ).toReversed();
  const total = weights.reduce((size, weight) => size + Math.abs(weight), 0);
  return total < MOST_WEIGHT ? weights : null;
}

/** The newest anchors up to the first gap that differs from the newest one. */
function evenlySpaced(anchors: readonly number[]): number[] {
  const gap = anchors[0]! - (anchors[1] ?? 0);
  const end = anchors.findIndex(
    (position, i) => i > 0 && Math.abs(anchors[i - 1]! - position - gap) > 1e-6 * gap,
  );
  return anchors.slice(0, end < 0 ? anchors.length : end);
}

/** All roots of a polynomial with leading coefficient 1, by Durand and Kerner's iteration. */
function roots(coefficients: readonly number[]): Complex[] {
  const degree = coefficients.length - 1;
  const radius = 1 + Math.max(...coefficients.slice(1).map(Math.abs));
  let values = Array.from({ length: degree }, (_, m) =>
    polar(Math.min(radius, 1.2), (2 * Math.PI * m) / degree + 0.4),
  );
  for (let round = 0; round < 200; round++) {
    let moved = 0;
    values = values.map((value, m) => {
      const at = coefficients.reduce<Complex>(
        (sum, coefficient) => add(multiply(sum, value), { re: coefficient, im: 0 }),
        { re: 0, im: 0 },
      );
      const others = values.reduce<Complex>(
        (product, other, i) => (i === m ? product : multiply(product, subtract(value, other))),
        { re: 1, im: 0 },
      );
      const change = divide(at, others);
      moved = Math.max(moved, Math.hypot(change.re, change.im));
      return subtract(value, change);
    });
    if (moved < 1e-13) break;
  }
  return values;
}

/**
 * Real parts of the coefficients, lowest power first, of the polynomial through the points; the
 * imaginary parts cancel where points come in conjugate pairs.
 */
function interpolate(points: readonly Complex[], values: readonly Complex[]): number[] {
  const zero: Complex = { re: 0, im: 0 };
  let coefficients: Complex[] = points.map(() => zero);
  points.forEach((point, m) => {
    let basis: Complex[] = [{ re: 1, im: 0 }];
    let scale = values[m]!;
    points.forEach((other, i) => {
      if (i === m) return;
      const shifted = [zero, ...basis];
      basis = shifted.map((term, power_) => subtract(term, multiply(other, basis[power_] ?? zero)));
      scale = divide(scale, subtract(point, other));
    });
    coefficients = coefficients.map((sum, n) => add(sum, multiply(scale, basis[n]!)));
  });
  return coefficients.map(({ re }) => re);
}

const polar = (radius: number, angle: number): Complex => ({
  re: radius * Math.cos(angle),
  im: radius * Math.sin(angle),
});
const add = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im });
const subtract = (a: Complex, b: Complex): Complex => ({ re: a.re - b.re, im: a.im - b.im });
const multiply = (a: Complex, b: Complex): Complex => ({
  re: a.re * b.re - a.im * b.im,
  im: a.re * b.im + a.im * b.re,
});
const divide = (a: Complex, b: Complex): Complex => {
  const size = b.re * b.re + b.im * b.im;
  return { re: (a.re * b.re + a.im * b.im) / size, im: (a.im * b.re - a.re * b.im) / size };
};
/** Principal value; zero to any positive power is zero. */
const power = (base: Complex, exponent: number): Complex =>
  polar(Math.hypot(base.re, base.im) ** exponent, Math.atan2(base.im, base.re) * exponent);
