import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openStudio } from './browser.ts';
import type { FinishedPicture, StudioPage } from './studio-page.ts';

const PROMPT = 'a big fox on a blue background';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** Starts with every step computed, and sets a budget after three of them. */
async function setBudgetLate(
  studio: StudioPage,
  steps: number,
  budget: number,
): Promise<FinishedPicture> {
  await studio.radio('Compute steps by', 'Budget').check();
  await studio.slider('At most').fill(String(budget));
  await studio.radio('Compute steps by', 'Every n-th').check();
  await studio.slider('Interval').fill('1');
  await studio.start(PROMPT, steps);
  await studio.stepsDone(3);
  // One change alone: forecast steps are so quick that a second might find the image finished.
  await studio.radio('Compute steps by', 'Budget').check();
  return studio.finished();
}

describe('the cache panel', () => {
  it('starts balanced, and its presets set and show everything that they stand for', async () => {
    const studio = await openStudio(browser);
    await studio.ready();
    await studio.number('Steps').fill('50');
    const pressed = () =>
      studio.page.getByRole('group', { name: 'Presets' }).locator('[aria-pressed=true]');
    expect(await pressed().allInnerTexts()).toEqual(['Balanced']);
    expect(await studio.slider('Tolerance').isVisible()).toBe(true);
    expect(await studio.page.locator('.reading').innerText()).toContain('tolerance allows');

    await studio.button('HiCache as published').click();
    expect(await pressed().allInnerTexts()).toEqual(['HiCache as published']);
    expect(await studio.slider('Interval').inputValue()).toBe('7');
    expect(await studio.slider('First steps').inputValue()).toBe('3');
    expect(await studio.slider('Tolerance').count()).toBe(0);
    expect(await studio.page.getByRole('switch').isChecked()).toBe(false);
    expect(await studio.page.locator('.reading').innerText()).toBe('9 of 50 to be computed');

    await studio.slider('Order').fill('1');
    expect(await pressed().count()).toBe(0);
    await studio.button('Faithful').click();
    expect(await pressed().allInnerTexts()).toEqual(['Faithful']);
    expect(await studio.page.getByRole('switch').isChecked()).toBe(true);
    const before = Number(await studio.number('Tolerance, as a number').inputValue());
    await studio.slider('Tolerance').press('ArrowRight');
    const tolerance = async () =>
      Number(await studio.number('Tolerance, as a number').inputValue());
    await expect.poll(tolerance, { timeout: 10_000 }).toBeGreaterThan(before);
    expect(await tolerance()).toBeLessThan(1.2 * before);
    expect(await pressed().count()).toBe(0);
    await studio.close();
  });

  it('changes the schedule of a picture in the making', async () => {
    const studio = await openStudio(browser);
    await studio.ready();
    const { stats } = await setBudgetLate(studio, 24, 12);

    expect(stats.cache[0]!.settings).toMatchObject({ schedule: 'interval', interval: 1 });
    const last = stats.cache.at(-1)!;
    expect(last.settings).toMatchObject({ basis: 'newton', schedule: 'budget', budget: 12 });
    expect(last.fromStep).toBeGreaterThanOrEqual(3);
    expect(stats.computeSteps.length).toBeLessThan(24);
    const before = stats.computeSteps.filter((step) => step < last.fromStep).length;
    // Where the change came so late that the budget was spent, a sparse rest is computed all the same.
    const late = before + Math.max(1, Math.floor((24 - before) / 7));
    expect(stats.computeSteps.length).toBeLessThanOrEqual(Math.max(12, late));
    await studio.close();
  });

  it('goes on computing, sparsely, after a budget that is spent already', async () => {
    const studio = await openStudio(browser);
    await studio.ready();
    const { stats } = await setBudgetLate(studio, 40, 2);

    const { fromStep } = stats.cache.at(-1)!;
    expect(fromStep).toBeGreaterThanOrEqual(3);
    const rest = stats.computeSteps.filter((step) => step >= fromStep);
    expect(rest.length).toBeGreaterThanOrEqual(1);
    expect(rest.length).toBeLessThanOrEqual(6);
    expect(stats.verifications.at(-1)!.served).not.toBeNull();
    expect(stats.unverifiedSteps.length).toBeLessThan(12);
    await studio.close();
  });
});

describe('the lab', () => {
  it('shows what the run verified, and its curves follow their controls at once', async () => {
    const studio = await openStudio(browser);
    await studio.ready();
    await studio.number('Steps').fill('12');
    await studio.radio('Compute steps by', 'Budget').check();
    await studio.slider('At most').fill('5');
    await studio.page.getByLabel('Sampler').selectOption({ label: 'Adams, 2nd order' });
    expect(await studio.page.locator('.reading').innerText()).toBe('up to 5 of 12 to be computed');
    expect(await studio.page.locator('.lab').count()).toBe(0);
    await studio.prompt.fill(PROMPT);
    await studio.generate.click();
    const { stats } = await studio.finished();

    expect(stats.computeSteps).toHaveLength(5);
    expect(stats.sampler).toBe('adams');
    expect(stats.differenceSamples!.length).toBeGreaterThan(1000);
    const served = stats.verifications.filter((verification) => verification.served);
    expect(served.length).toBeGreaterThan(0);
    expect(await studio.summary.innerText()).toContain(`median of ${served.length} verified`);
    const timeline = await studio.timeline();
    for (const { step } of served) expect(timeline[step]!.text).toMatch(/was off by [\d.]+ %$/);

    await studio.button('Open the lab').click();
    const atSteps = studio.chart('Verified relative error');
    const againstSigma = studio.chart('Error of Hermite forecasts');
    for (const chart of [
      atSteps,
      againstSigma,
      studio.chart('Histogram'),
      studio.chart('Normal quantile'),
    ]) {
      await chart.locator('canvas').waitFor();
      expect(await chart.getAttribute('aria-label')).toMatch(/\.$/);
    }

    const all = await seen(againstSigma);
    await studio.slider('Compute step').fill('1');
    const first = await seen(againstSigma);
    expect(first.label).toContain(`Step ${stats.verifications[0]!.step + 1}:`);
    expect(first.label).not.toBe(all.label);
    expect(first.drawing).not.toBe(all.drawing);
    await studio.slider('Compute step').fill(String(stats.verifications.length));
    expect((await seen(againstSigma)).drawing).not.toBe(first.drawing);

    const published = await seen(atSteps);
    await studio.slider('Hermite σ').fill('0.9');
    expect(await studio.page.getByText('Hermite 2, σ 0.90').count()).toBeGreaterThan(0);
    expect((await seen(atSteps)).drawing).not.toBe(published.drawing);
    await studio.close();
  });
});

/** What a chart says of itself, and its pixels. */
async function seen(chart: Locator): Promise<{ label: string | null; drawing: string }> {
  // uPlot draws in a microtask and signals render in one, both before the next frame.
  await chart.page().evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  return {
    label: await chart.getAttribute('aria-label'),
    drawing: await chart
      .locator('canvas')
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL()),
  };
}
