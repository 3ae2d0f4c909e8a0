/** Spectrum's forecast: ridge regression on Chebyshev polynomials, blended with a straight line. */
import { solve } from '../linear.ts';
import { newtonWeights } from './newton.ts';

/** Spectrum's defaults: T₀ … T₄, ridge 0.1, half and half with the linear forecast. */
const DEGREE = 4;
const RIDGE = 0.1;
const BLEND = 0.5;

/**
 * Weights over all `anchors`. With positions mapped to τ ∈ [−1, 1] over the run, the fit
 * C = (XᵀX + λI)⁻¹XᵀF has one row Tᵢ(τⱼ) in X for each anchor, so the forecast is linear in F.
 * Spectrum fits every anchor of the run; this fits those that the ring holds.
 *
 * @param anchors positions, newest first, at least one.
 * @param span positions of the run's first and last step.
 */
export function chebyshevWeights(
  anchors: readonly number[],
  target: number,
  span: readonly [first: number, last: number],
): number[] {
  const map = (position: number): number =>
    span[1] > span[0] ? (2 * (position - span[0])) / (span[1] - span[0]) - 1 : 0;
  const design = anchors.map((position) => polynomials(map(position)));
  const normal = Array.from({ length: DEGREE + 1 }, (_, i) =>
    Array.from(
      { length: DEGREE + 1 },
      (_, j) => design.reduce((sum, row) => sum + row[i]! * row[j]!, 0) + (i === j ? RIDGE : 0),
    ),
  );
  // The ridge makes the matrix positive definite, so there is always a solution.
  const fit = solve(normal, polynomials(map(target)))!;
  const linear = newtonWeights(anchors, Math.min(1, anchors.length - 1), target);
  return design.map((row, j) => {
    const ridge = row.reduce((sum, value, i) => sum + value * fit[i]!, 0);
    return BLEND * ridge + (1 - BLEND) * (linear[j] ?? 0);
  });
}

/** T₀(x) … T₄(x): T₀ = 1, T₁ = x, Tₙ₊₁ = 2x·Tₙ − Tₙ₋₁. */
function polynomials(x: number): number[] {
  const values = [1, x];
  for (let i = 2; i <= DEGREE; i++) values.push(2 * x * values[i - 1]! - values[i - 2]!);
  return values;
}
