/** What both rooms refuse of a run's calls, in the same words. */
import { MAX_ANCHORS } from '../forecast/settings.ts';

/** How many of the newest velocities are kept for `step`. */
export const VELOCITIES = 2;

/** @throws RangeError for other counts than a one- or two-step method has. */
export function checkDeltas(deltas: readonly number[]): void {
  if (deltas.length < 1 || deltas.length > VELOCITIES) {
    throw new RangeError(`a step takes 1 to ${VELOCITIES} deltas, not ${deltas.length}`);
  }
}

/** @throws RangeError for what is no number of anchors before the newest. */
export function checkOlder(older: number): void {
  if (!(Number.isInteger(older) && older >= 0 && older <= MAX_ANCHORS)) {
    throw new RangeError(`products with 0 to ${MAX_ANCHORS} older anchors, not ${older}`);
  }
}

export function noFeatures(): RangeError {
  return new RangeError('the head needs features: run the trunk first');
}

export function noMark(): RangeError {
  return new RangeError('there is nothing to go back to: mark the latents first');
}
