/**
 * How much of each difference a basis adds: F̂ = Σᵢ cᵢ(k)·Δⁱ, with c₀ = 1 and k the steps since
 * the newest anchor. k is POSITIVE because the differences are newest minus older; the paper
 * prints H̃ᵢ(−k) for step numbers that fall.
 */
import type { Basis, Forecaster } from '../settings.ts';

/** Physicists' Hermite polynomial Hₙ(x): H₀ = 1, H₁ = 2x, Hₙ₊₁ = 2x·Hₙ − 2n·Hₙ₋₁. */
export function hermite(n: number, x: number): number {
  let previous = 0;
  let current = 1;
  for (let i = 0; i < n; i++) {
    [previous, current] = [current, 2 * x * current - 2 * i * previous];
  }
  return current;
}

type Coefficient = (i: number, k: number, sigma: number) => number;

const COEFFICIENTS: Partial<Record<Basis, Coefficient>> = {
  /** TaylorSeer (arXiv 2503.06923): kⁱ. */
  taylor: (i, k) => k ** i,
  /** The HiCache paper's ablation: monomials with the same dual scaling, (σ²k)ⁱ. */
  'taylor-scaled': (i, k, sigma) => (sigma * sigma * k) ** i,
  /** HiCache (arXiv 2508.16984): dual-scaled Hermite polynomials, H̃ᵢ(k) = σⁱ·Hᵢ(σk). */
  hermite: (i, k, sigma) => sigma ** i * hermite(i, sigma * k),
};

/**
 * The coefficients c₀ … c_order of the differences Δ⁰ … Δ^order, the 1/i! of the series
 * included. `k`: steps from the newest anchor to the forecast.
 */
export function differenceCoefficients(
  { basis, sigma }: Pick<Forecaster, 'basis' | 'sigma'>,
  order: number,
  k: number,
): number[] {
  const coefficients = [1];
  const coefficient = COEFFICIENTS[basis];
  if (!coefficient) return coefficients;
  let factorial = 1;
  for (let i = 1; i <= order; i++) {
    factorial *= i;
    coefficients.push(coefficient(i, k, sigma) / factorial);
  }
  return coefficients;
}
