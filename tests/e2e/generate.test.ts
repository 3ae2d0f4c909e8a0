import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_BUNDLE } from '../../cli/lib/engine.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { psnr } from '../../cli/lib/psnr.ts';
import { withSmallSize } from '../unit/support/small.ts';
import { launchBrowser, openStudio } from './browser.ts';
import { changeOrderAndSigma } from './live-change.ts';
import { replayOnCpu, settingsAt } from './replay.ts';
import type { StudioPage } from './studio-page.ts';

const PROMPT = 'a big fox on a blue background';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

// A software GPU, perhaps on a machine that does other things too: the page is opened once.
describe('on WebGPU', { timeout: 400_000 }, () => {
  let studio: StudioPage;
  beforeAll(async () => {
    studio = await openStudio(browser, { backend: 'webgpu', manifest: withSmallSize });
    expect(await studio.ready()).toBe('webgpu');
  });
  afterAll(() => studio.close());

  it('takes new settings while it runs and makes the picture that they call for', async () => {
    await studio.fixSeed(7);
    await studio.button('HiCache as published').click();
    await studio.slider('Interval').fill('4');
    await studio.start(PROMPT, 12);

    const { stats, pixels } = await changeOrderAndSigma(studio, 12);

    const timeline = await studio.timeline();
    expect(timeline).toHaveLength(12);
    for (const [step, { done, computed, text }] of timeline.entries()) {
      expect(done).toBe(true);
      expect(computed).toBe(stats.computeSteps.includes(step));
      const { order, sigma } = settingsAt(stats, step);
      expect(text).toContain(`Hermite, order ${order}, σ ${sigma.toFixed(2)}, interval 4`);
    }
    expect(stats.backend).toBe('webgpu');
    expect(psnr(pixels, await replayOnCpu(stats, withSmallSize))).toBeGreaterThanOrEqual(40);
  });

  it('cancels, and makes another picture after that', async () => {
    const earlier = await studio.summary.innerText();
    await studio.start(PROMPT, 100);
    await studio.stepsDone(2);
    await studio.cancel.click();
    await studio.page.getByRole('status').getByText('cancelled').waitFor();
    expect(await studio.summary.allInnerTexts()).toEqual([earlier]);
    expect(await studio.alert.count()).toBe(0);

    await studio.start(PROMPT, 3);
    const { stats } = await studio.finished();
    expect(stats.steps).toBe(3);
  });

  it('says when the GPU is lost, and works again with the model loaded anew', async () => {
    await studio.start(PROMPT, 100);
    await studio.stepsDone(1);
    const devtools = await browser.newBrowserCDPSession();
    await devtools.send('Browser.crashGpuProcess');
    expect(await studio.alert.innerText()).toMatch(/The GPU was lost[\s\S]*Load the model again/);

    await studio.button('Load the model again').click();
    expect(await studio.ready()).toBe('webgpu');
    await studio.start(PROMPT, 1);
    expect((await studio.finished()).stats.backend).toBe('webgpu');
  });
});

describe('on the CPU', () => {
  let studio: StudioPage;
  beforeAll(async () => {
    studio = await openStudio(browser, { manifest: withSmallSize });
    expect(await studio.ready()).toBe('cpu');
  });
  afterAll(() => studio.close());

  it('begins with the steps and the guidance that the model is usually given', async () => {
    const { defaults } = (await openBundleFolder(DEFAULT_BUNDLE)).manifest;
    const value = (name: string) => studio.number(name).inputValue();
    await expect.poll(() => value('Steps')).toBe(String(defaults.steps));
    if (defaults.guidance !== undefined)
      expect(await value('Guidance, as a number')).toBe(String(defaults.guidance));
  });

  it('shows no guidance for a model that takes none', async () => {
    const other = await openStudio(browser, {
      manifest: (manifest) => ({
        ...manifest,
        transformer: { ...manifest.transformer, guidance: false },
      }),
    });
    await other.ready();
    expect(await other.slider('Guidance').count()).toBe(0);
    await other.close();
  });

  it('computes the published nine of fifty steps at interval 7', async () => {
    await studio.button('HiCache as published').click();
    await studio.start(PROMPT, 50);
    const { stats } = await studio.finished();

    const published = [0, 1, 2, 9, 16, 23, 30, 37, 44];
    expect(stats.computeSteps).toEqual(published);
    const computed = (await studio.timeline()).flatMap((bar, step) => (bar.computed ? step : []));
    expect(computed).toEqual(published);
    expect(await studio.summary.innerText()).toContain('9 of 50');
    expect(stats.unverifiedSteps).toEqual([45, 46, 47, 48, 49]);
    expect(await studio.summary.innerText()).toContain(
      'Not verified: forecast steps 46–50 (5 of 41)',
    );
    expect((await studio.timeline()).at(-1)!.text).toContain('; not verified');
  });

  it('computes every step when asked to', async () => {
    await studio.button('Compute every step').click();
    await studio.start(PROMPT, 6);
    const { stats } = await studio.finished();
    expect(stats.computeSteps).toEqual([0, 1, 2, 3, 4, 5]);
    expect(stats.speedup).toBe(1);
  });

  it('gives the same picture for the same seed, and another for another', async () => {
    await studio.start(PROMPT, 6);
    const first = await studio.finished();

    await studio.button('Keep the seed of this picture').click();
    await studio.generate.click();
    const again = await studio.finished();
    expect(again.stats.seed).toBe(first.stats.seed);
    expect(again.pixels).toEqual(first.pixels);

    await studio.button('Draw another seed').click();
    await studio.generate.click();
    const other = await studio.finished();
    expect(other.stats.seed).not.toBe(first.stats.seed);
    expect(other.pixels).not.toEqual(first.pixels);
  });

  it('keeps a seed of 64 bits digit by digit, and shows what torch makes of it', async () => {
    const wide = '18446744073709551615';
    await studio.fixSeed(` ${wide} `);
    await studio.start(PROMPT, 2);
    const first = await studio.finished();
    expect(first.stats.seed).toBe(wide);
    expect(await studio.summary.innerText()).toContain(`Seed ${wide} ·`);
    await studio.seed.fill('4');
    await studio.button('Keep the seed of this picture').click();
    expect(await studio.seed.inputValue()).toBe(wide);

    // The generator reads the low 32 bits, of negative seeds too.
    await studio.seed.fill('-1');
    await studio.page.getByText('-1 is a seed like any other here').waitFor();
    await studio.generate.click();
    const second = await studio.finished();
    expect(second.stats.seed).toBe(-1);
    expect(second.pixels).toEqual(first.pixels);

    await studio.seed.fill('18446744073709551616');
    await studio.generate.click();
    expect(await studio.alert.innerText()).toContain(
      'The seed must be a whole number from -9223372036854775808 to 18446744073709551615',
    );
  });
});
