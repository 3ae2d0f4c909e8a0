/** The forecasters among which verification compares and `auto` chooses. */
import { ABSCISSAS, BASES_WITH_ORDER, BASES_WITH_SIGMA, type Forecaster } from '../settings.ts';

const HERMITE: Record<number, readonly number[]> = {
  1: [0.3, 0.4, 0.5, 0.6, Math.SQRT1_2, 0.8],
  2: [0.3, 0.4, 0.5, 0.6, 0.7],
  3: [0.3, 0.4, 0.5],
};

const BASE: Forecaster = {
  basis: 'reuse',
  order: 0,
  sigma: 0.5,
  differences: 'divided',
  abscissa: 'step',
};

/** Reuse: what every other forecaster is measured against. */
export const REUSE = BASE;

/** The straight line through the two newest anchors, in flow time. */
export const LINEAR: Forecaster = { ...BASE, basis: 'newton', order: 1, abscissa: 'flow' };

/** Every basis once, then Hermite's orders and sigmas on both axes. */
export const CANDIDATES: readonly Forecaster[] = [
  REUSE,
  LINEAR,
  ...ABSCISSAS.flatMap((abscissa): Forecaster[] => [
    ...(abscissa === 'flow' ? [] : [{ ...LINEAR, abscissa }]),
    { ...BASE, basis: 'newton', order: 2, abscissa },
    { ...BASE, basis: 'newton', order: 3, abscissa },
    { ...BASE, basis: 'chebyshev', abscissa },
    { ...BASE, basis: 'dmd', abscissa },
    ...Object.entries(HERMITE).flatMap(([order, sigmas]) =>
      sigmas.map((sigma): Forecaster => ({
        ...BASE,
        basis: 'hermite',
        order: Number(order),
        sigma,
        abscissa,
      })),
    ),
  ]),
];

/** Whether both forecast alike, whatever they are called. */
export function isSame(a: Forecaster, b: Forecaster): boolean {
  return (
    a.basis === b.basis &&
    a.abscissa === b.abscissa &&
    a.differences === b.differences &&
    (!BASES_WITH_ORDER.includes(a.basis) || a.order === b.order) &&
    (!BASES_WITH_SIGMA.includes(a.basis) || a.sigma === b.sigma)
  );
}
