import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { psnr } from '../../cli/lib/psnr.ts';
import { servePage } from '../../scripts/serve.ts';
import { changeOrderAndSigma } from '../e2e/live-change.ts';
import { replayOnCpu } from '../e2e/replay.ts';
import type { StudioPage } from '../e2e/studio-page.ts';
import { type Firefox, launchFirefox } from './firefox.ts';

const PROMPT = 'a big fox on a blue background';

let browser: Firefox;
beforeAll(async () => {
  browser = await launchFirefox('none');
});
afterAll(() => browser.close());

/** Starts an image of this many steps with a fixed seed. */
async function start(studio: StudioPage, steps: number): Promise<void> {
  await studio.setNumber('Steps', steps);
  await studio.fixSeed(7);
  await studio.prompt.fill(PROMPT);
  await studio.generate.click();
}

it('draws the image that Node draws', async () => {
  const studio = await browser.open(inject('pageUrl'), 'cpu');
  expect(await studio.ready()).toBe('cpu');
  await start(studio, 6);
  const { stats, pixels } = await studio.finished();
  expect(stats).toMatchObject({ backend: 'cpu', steps: 6, seed: 7, prompt: PROMPT });
  expect(psnr(pixels, await replayOnCpu(stats))).toBeGreaterThanOrEqual(60);
  await studio.close();
});

it('takes a new order and sigma while it draws', async () => {
  const studio = await browser.open(inject('pageUrl'), 'cpu');
  await studio.ready();
  await studio.button('HiCache as published').click();
  await studio.slider('Interval').fill('4');
  await start(studio, 40);
  const { stats, pixels } = await changeOrderAndSigma(studio, 40);

  expect((await studio.timeline()).at(-1)!.text).toContain('Hermite, order 1, σ 1.00, interval 4');
  expect(psnr(pixels, await replayOnCpu(stats))).toBeGreaterThanOrEqual(60);
  await studio.close();
});

it('draws the same image without a network', async () => {
  const server = await servePage();
  const studio = await browser.open(server.url, 'cpu');
  await studio.ready();
  await studio.keptOffline();
  await start(studio, 4);
  const online = await studio.finished();

  await server.close();
  await expect(fetch(server.url)).rejects.toThrow();
  await studio.page.reload();
  expect(await studio.ready()).toBe('cpu');
  expect(await studio.page.evaluate(() => crossOriginIsolated)).toBe(true);
  await start(studio, 4);
  const offline = await studio.finished();
  expect(offline.stats.seed).toBe(7);
  expect(offline.pixels).toEqual(online.pixels);
  await studio.close();
});
