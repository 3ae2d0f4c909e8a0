import { expect } from 'vitest';
import type { FinishedPicture, StudioPage } from './studio-page.ts';

/**
 * Changes order and sigma of a run of the published settings at interval 4 after four of its steps, and
 * expects the rest of the run to go by them.
 */
export async function changeOrderAndSigma(
  studio: StudioPage,
  steps: number,
): Promise<FinishedPicture> {
  await studio.stepsDone(4);
  await studio.slider('Order').fill('1');
  await studio.slider('Sigma').fill('1');
  const finished = await studio.finished();

  const { cache } = finished.stats;
  expect(cache[0]).toMatchObject({ fromStep: 0, settings: { order: 2, sigma: 0.5 } });
  const last = cache.at(-1)!;
  expect(last).toMatchObject({ settings: { order: 1, sigma: 1, interval: 4 } });
  expect(last.fromStep).toBeGreaterThanOrEqual(4);
  expect(last.fromStep).toBeLessThan(steps);
  return finished;
}
