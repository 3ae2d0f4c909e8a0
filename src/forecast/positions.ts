/** Where a step lies on the axis along which features are forecast. */
import { type Abscissa, ABSCISSAS } from './settings.ts';

/**
 * One position for each step, growing, in units of a mean step, so that sigma and the
 * distance k mean the same on both axes.
 *
 * - `step`: the step's index, as every published method has it.
 * - `flow`: (1 − t)·steps for flow time t. A timestep shift makes steps unequal; what the features
 *   follow is the flow time.
 *
 * @param flowTimes of the steps, falling from 1; a terminal 0 may follow.
 */
export function stepPositions(
  abscissa: Abscissa,
  steps: number,
  flowTimes: ArrayLike<number>,
): number[] {
  return Array.from({ length: steps }, (_, step) =>
    abscissa === 'flow' ? (1 - flowTimes[step]!) * steps : step,
  );
}

/** The positions of all steps on every axis. */
export function positionsByAbscissa(
  steps: number,
  flowTimes: ArrayLike<number>,
): Readonly<Record<Abscissa, readonly number[]>> {
  return Object.fromEntries(
    ABSCISSAS.map((abscissa) => [abscissa, stepPositions(abscissa, steps, flowTimes)]),
  ) as Record<Abscissa, number[]>;
}
