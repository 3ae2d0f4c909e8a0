import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { psnr } from '../../cli/lib/psnr.ts';
import { replayOnCpu } from '../e2e/replay.ts';
import { type Firefox, launchFirefox } from './firefox.ts';

let browser: Firefox;
beforeAll(async () => {
  browser = await launchFirefox('lavapipe');
});
afterAll(() => browser.close());

it('draws on WebGPU in half precision what the CPU draws', async () => {
  const studio = await browser.open(inject('pageUrl'), 'webgpu');
  expect(await studio.ready()).toBe('webgpu');
  await studio.setNumber('Steps', 8);
  await studio.fixSeed(7);
  await studio.prompt.fill('a fox');
  await studio.generate.click();
  const { stats, pixels } = await studio.finished();
  expect(stats).toMatchObject({ backend: 'webgpu', precision: 'float16' });
  expect(psnr(pixels, await replayOnCpu(stats))).toBeGreaterThanOrEqual(45);
  await studio.close();
});
