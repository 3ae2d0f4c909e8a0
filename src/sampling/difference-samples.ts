import type { DenoiseRun } from '../runtime/backend.ts';

/** Enough for a histogram and a test of normality, and few enough to draw every one. */
const COUNT = 2000;

/**
 * Values of the difference between the two newest anchors, evenly picked, standardised to mean 0
 * and variance 1: what the paper takes to be Gaussian.
 *
 * @returns null if there is only one anchor, or no difference at all.
 */
export async function sampleDifferences(
  run: DenoiseRun,
  olderAnchors: number,
): Promise<number[] | null> {
  if (olderAnchors < 1) return null;
  const [newest, before] = [await run.anchor(0), await run.anchor(1)];
  const stride = Math.max(1, newest.length / COUNT);
  const values = Array.from({ length: Math.min(COUNT, newest.length) }, (_, i) => {
    const at = Math.floor(i * stride);
    return newest[at]! - before[at]!;
  });
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return variance > 0 ? values.map((value) => (value - mean) / Math.sqrt(variance)) : null;
}
