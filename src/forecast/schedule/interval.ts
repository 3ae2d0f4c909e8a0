/** Which steps run the transformer, when every n-th does. */
import type { CacheSettings } from '../settings.ts';

type IntervalSettings = Pick<CacheSettings, 'basis' | 'firstEnhance' | 'interval'>;

/**
 * Whether `step` runs the transformer: one of the first steps, or `interval - 1` forecasts have
 * passed since the last anchor. Basis `none` computes every step; so does a run without an anchor.
 */
export function isComputeStep(
  step: number,
  lastComputeStep: number | null,
  { basis, firstEnhance, interval }: IntervalSettings,
): boolean {
  if (basis === 'none' || lastComputeStep === null) return true;
  return step < firstEnhance || step - lastComputeStep >= interval;
}

/**
 * The compute steps among `firstStep` … `steps - 1` if the settings stay as they are.
 * With `PUBLISHED` and 50 steps: 0, 1, 2, 9, 16, 23, 30, 37, 44.
 */
export function plannedComputeSteps(
  steps: number,
  settings: IntervalSettings,
  firstStep = 0,
  lastComputeStep: number | null = null,
): number[] {
  const planned: number[] = [];
  let last = lastComputeStep;
  for (let step = firstStep; step < steps; step++) {
    if (!isComputeStep(step, last, settings)) continue;
    planned.push(step);
    last = step;
  }
  return planned;
}
