import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSmallSize } from '../unit/support/small.ts';
import { launchBrowser, openStudio } from './browser.ts';
import { ModelsPage } from './models-page.ts';
import { setBrowserFontSize, sticksOut } from './reflow.ts';
import { sumOf, takeShifts, watchShifts } from './shifts.ts';
import type { StudioPage } from './studio-page.ts';

const PROMPT = 'a big fox on a blue background';
const MOST_SHIFT = 0.02;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const open = async (width: number, height: number): Promise<StudioPage> =>
  openStudio(browser, {
    manifest: withSmallSize,
    prepare: async (page) => {
      await page.setViewportSize({ width, height });
      await watchShifts(page);
    },
  });

/** What the page has written down for its next visit. */
function keptPrompt({ page }: StudioPage): Promise<string | undefined> {
  return page.evaluate(async () => {
    const open = indexedDB.open('keyval-store');
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      open.onsuccess = () => resolve(open.result);
      open.onerror = () => reject(new Error(String(open.error)));
    });
    const get = database.transaction('keyval').objectStore('keyval').get('settings');
    const kept = await new Promise<{ prompt?: string } | undefined>((resolve) => {
      get.onsuccess = () => resolve(get.result as { prompt?: string } | undefined);
    });
    database.close();
    return kept?.prompt;
  });
}

describe('large text', () => {
  it('follows the font size that the browser is set to', async () => {
    const studio = await open(1280, 800);
    await studio.ready();
    const sizes = () =>
      studio.page.evaluate(() =>
        [':root', 'textarea', '.hint', 'h2', '.actions button'].map((selector) =>
          parseFloat(getComputedStyle(document.querySelector(selector)!).fontSize),
        ),
      );
    await setBrowserFontSize(studio.page, 16);
    const usual = await sizes();
    await setBrowserFontSize(studio.page, 32);
    expect(await sizes()).toEqual(usual.map((size) => 2 * size));
    await studio.close();
  });

  it.each([
    { name: 'a width of 320 pixels', width: 320, height: 640, font: 16 },
    { name: 'text of 200 %', width: 1280, height: 800, font: 32 },
    { name: 'text of 200 % at 320 pixels', width: 320, height: 640, font: 32 },
  ])('$name: nothing sticks out, in any state', async ({ width, height, font }) => {
    const studio = await open(width, height);
    const { page } = studio;
    await setBrowserFontSize(page, font);
    const found: Record<string, string[]> = {};
    const look = async (state: string) => {
      const size = 'parseFloat(getComputedStyle(document.documentElement).fontSize)';
      expect(await page.evaluate(size), state).toBe(font);
      const all = await sticksOut(page);
      if (all.length > 0) found[state] = all;
    };
    await studio.ready();
    await look('ready');
    await studio.page.getByText('What can it draw?').click();
    await page.getByRole('searchbox').fill('b');
    await look('what it can draw');
    await page.locator('.engine summary').click();
    await look('about the engine');
    await page.keyboard.press('Escape');
    await page.locator('.cache .more summary').click();
    await look('more settings');
    for (const schedule of ['Every n-th', 'Budget', 'Error']) {
      await studio.radio('Compute steps by', schedule).check();
      await look(schedule);
    }
    await studio.generate.click();
    await look('an empty prompt');
    await studio.button('Dismiss').click();
    await studio.number('Steps').fill('0');
    await look('no steps');
    await studio.start('a big fox and a zzyzx', 12);
    await look('running');
    await studio.summary.waitFor();
    await look('finished');
    await studio.button('Open the lab').click();
    await studio.chart('Histogram').locator('canvas').waitFor();
    await look('the lab');
    const models = new ModelsPage(studio);
    await models.open();
    await look('models');
    await models.button('Add a LoRA…').scrollIntoViewIfNeeded();
    await models.dialog.locator('input[name=lora-files]').setInputFiles({
      name: 'a_style_with_a_long_name_v2.safetensors',
      mimeType: '',
      buffer: Buffer.from('x'),
    });
    await models.dialog.getByLabel('A limit').check();
    await look('a LoRA and a limit');
    await models.dialog.getByLabel('The web').check();
    await look('an address');
    await models.button('Add the model').click();
    await models.alert.waitFor();
    await look('no address');
    expect(found).toEqual({});
    await studio.close();
  });
});

describe('the page keeps still', () => {
  it.each([
    { name: 'wide', width: 1280, height: 800 },
    { name: 'narrow', width: 390, height: 844 },
  ])('$name: while the model loads, and during a run', async ({ width, height }) => {
    const studio = await open(width, height);
    await studio.ready();
    // Whatever the browser says of inputs: nobody has touched the page.
    const loading = await takeShifts(studio.page);
    expect(sumOf(loading), JSON.stringify(loading)).toBeLessThan(MOST_SHIFT);

    // Then again, with the summary of the run before.
    for (const steps of [12, 30]) {
      await studio.number('Steps').fill(String(steps));
      await studio.prompt.fill(PROMPT);
      await takeShifts(studio.page);
      await studio.generate.click();
      await studio.stepsDone(steps);
      await studio.summary.waitFor();
      const during = (await takeShifts(studio.page)).filter(({ answers }) => !answers);
      expect(sumOf(during), JSON.stringify(during)).toBeLessThan(MOST_SHIFT);
    }
    await studio.close();
  });

  it('on a second visit, with other settings than a new page has', async () => {
    const studio = await open(1280, 800);
    await studio.ready();
    await studio.button('HiCache as published').click();
    await studio.number('Steps').fill('40');
    await studio.prompt.fill(PROMPT);
    await expect.poll(() => keptPrompt(studio), { timeout: 30_000 }).toBe(PROMPT);
    await studio.page.reload();
    await studio.ready();
    expect(await studio.prompt.inputValue()).toBe(PROMPT);
    const shifts = await takeShifts(studio.page);
    expect(sumOf(shifts), JSON.stringify(shifts)).toBeLessThan(MOST_SHIFT);
    await studio.close();
  });

  it.each([
    { what: 'an empty prompt', steps: '4', prompt: '' },
    { what: 'steps out of range', steps: '0', prompt: PROMPT },
  ])('when $what is refused', async ({ steps, prompt }) => {
    const studio = await open(390, 844);
    await studio.ready();
    await studio.number('Steps').fill(steps);
    await studio.prompt.fill(prompt);
    await studio.generate.scrollIntoViewIfNeeded();
    const places = () =>
      studio.page.evaluate(() =>
        ['textarea', '.actions .primary', '.frame', '.cache'].map((selector) =>
          Math.round(document.querySelector(selector)!.getBoundingClientRect().top),
        ),
      );
    const before = await places();
    await studio.generate.click();
    await studio.alert.waitFor();
    expect(await places()).toEqual(before);
    // It is seen wherever the page is scrolled to.
    const box = (await studio.alert.boundingBox())!;
    expect(box.y).toBeGreaterThanOrEqual(0);
    expect(box.y + box.height).toBeLessThanOrEqual(844);
    await studio.close();
  });
});

describe('what runs the model, on a phone', () => {
  const openDetails = async (): Promise<StudioPage> => {
    const studio = await open(390, 700);
    await studio.ready();
    await studio.page.locator('.engine summary').click();
    await studio.page.locator('.engine .card').waitFor();
    return studio;
  };

  it('covers nothing, and closes when something else is used', async () => {
    const studio = await openDetails();
    const card = (await studio.page.locator('.engine .card').boundingBox())!;
    const prompt = (await studio.prompt.boundingBox())!;
    expect(card.y + card.height).toBeLessThanOrEqual(prompt.y);
    await studio.prompt.click();
    await studio.page.locator('.engine .card').waitFor({ state: 'hidden' });
    await studio.close();
  });

  it('closes with Escape, and by the keyboard going on', async () => {
    const studio = await openDetails();
    const details = studio.page.locator('.engine .card');
    await studio.page.keyboard.press('Escape');
    await details.waitFor({ state: 'hidden' });
    const summary = studio.page.locator('.engine summary');
    expect(await summary.evaluate((element) => element === document.activeElement)).toBe(true);
    await studio.page.keyboard.press('Enter');
    await details.waitFor();
    await studio.page.keyboard.press('Tab');
    await details.waitFor({ state: 'hidden' });
    await studio.close();
  });
});
