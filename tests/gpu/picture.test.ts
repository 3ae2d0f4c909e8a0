import { expect, test } from 'vitest';
import type { BackendChoice } from '../../src/runtime/choose.ts';
import { PUBLISHED } from '../../src/forecast/settings.ts';
import { generate } from '../../src/sampling/generate.ts';
import { DEFAULT_BUNDLE, startEngine } from '../../cli/lib/engine.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { psnr } from '../../cli/lib/psnr.ts';
import { offeringSmall, SMALL } from '../unit/support/small.ts';
import { type Compared, comparingGrams } from './compare-grams.ts';

const REQUEST = {
  prompt: 'a big fox on a blue background',
  seed: 5,
  steps: 50,
  sampler: 'euler',
  ...SMALL,
  cache: PUBLISHED,
  preview: false,
} as const;

/** A whole picture of the embedded model with the published cache: 50 steps, interval 7. */
async function picture(choice: BackendChoice, compared: Compared[]) {
  const bundle = offeringSmall(await openBundleFolder(process.env.POCKET_BUNDLE ?? DEFAULT_BUNDLE));
  const engine = await startEngine(bundle, choice);
  try {
    return await generate(
      { ...engine, backend: comparingGrams(engine.backend, compared) },
      REQUEST,
      {
        settings: () => PUBLISHED,
        signal: new AbortController().signal,
        onEvent: () => undefined,
      },
    );
  } finally {
    await engine.backend.dispose();
  }
}

test('CPU and WebGPU draw the same picture from the same nine compute steps', async () => {
  const compared: Compared[] = [];
  const cpu = await picture('cpu', compared);
  const gpu = await picture('webgpu', compared);
  const published = [0, 1, 2, 9, 16, 23, 30, 37, 44];
  expect(cpu.stats).toMatchObject({ backend: 'cpu', computeSteps: published });
  expect(gpu.stats).toMatchObject({ backend: 'webgpu', computeSteps: published });
  const mean = cpu.pixels.reduce((sum, value) => sum + value, 0) / cpu.pixels.length;
  const spread = cpu.pixels.some((value) => Math.abs(value - mean) > 40);
  expect(spread, 'a picture, not one even colour').toBe(true);
  expect(psnr(cpu.pixels, gpu.pixels)).toBeGreaterThanOrEqual(40);

  // On both: the closed form of a forecast's error is the error itself, on real features.
  expect(compared.length).toBeGreaterThan(2 * 30);
  for (const { weights, closed, direct } of compared) {
    expect(Math.abs(closed / direct - 1), `weights ${weights.join()}`).toBeLessThan(1e-4);
  }
}, 600_000);
