import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSmallSize } from '../unit/support/small.ts';
import { faults } from './axe.ts';
import { launchBrowser, openStudio } from './browser.ts';
import { ModelsPage } from './models-page.ts';
import { colorAt, contrast } from './pixels.ts';
import type { StudioPage } from './studio-page.ts';

const PROMPT = 'a big fox on a blue background';
/** Steps of a run that is still going on when everything was looked at. */
const LONG = 1000;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

type Media = Parameters<Page['emulateMedia']>[0];

const open = (media: Media = {}): Promise<StudioPage> =>
  openStudio(browser, { manifest: withSmallSize, prepare: (page) => page.emulateMedia(media) });

/** Starts a run that lasts, with steps of both kinds. */
async function startLongRun(studio: StudioPage, steps = LONG): Promise<void> {
  await studio.button('HiCache as published').click();
  await studio.slider('Interval').fill('3');
  await studio.start(PROMPT, steps);
  await studio.stepsDone(6);
}

async function stop(studio: StudioPage): Promise<void> {
  await studio.cancel.click();
  await studio.page.getByRole('status').getByText('cancelled').waitFor({ state: 'attached' });
}

describe.each(['light', 'dark'] as const)('as axe-core sees it, %s', (colorScheme) => {
  it('has no fault in any of its states', async () => {
    const studio = await open({ colorScheme, reducedMotion: 'reduce' });
    const { page } = studio;
    const found: Record<string, string[]> = {};
    const look = async (state: string) => {
      const all = await faults(page);
      if (all.length > 0) found[state] = all;
    };
    await studio.ready();
    await look('first load');
    await page.getByText('What can it draw?').click();
    await page.locator('.concepts li').first().waitFor();
    await page.locator('.cache .more summary').click();
    await page.locator('.engine summary').click();
    await look('everything opened');
    await page.keyboard.press('Escape');
    await studio.button('Compute every step').click();
    await studio.prompt.fill('');
    await studio.generate.click();
    await studio.alert.waitFor();
    await look('an error, and settings without use');
    await studio.number('Sigma, as a number').fill('7');
    await studio.number('Steps').fill('0');
    await look('wrong numbers');
    await studio.number('Sigma, as a number').fill('0.5');
    await startLongRun(studio);
    await look('running');
    await stop(studio);
    await studio.number('Steps').fill('8');
    await studio.prompt.fill('a big fox and a zzyzx');
    await studio.generate.click();
    await studio.summary.waitFor();
    await look('finished');
    await studio.button('Open the lab').click();
    await studio.chart('Histogram').locator('canvas').waitFor();
    await look('the lab');
    const models = new ModelsPage(studio);
    await models.open();
    await look('models');
    await models.dialog.getByLabel('The web').check();
    await models.dialog.getByLabel('A limit').check();
    await models.button('Add the model').click();
    await models.alert.waitFor();
    await look('no address');
    expect(found).toEqual({});
    await studio.close();
  });

  it('shows what a setting without use holds, and steps of every kind', async () => {
    const studio = await open({ colorScheme });
    await studio.ready();
    // Newton has no sigma; the slider still moves, for the bases that have one.
    const unused = studio.page.locator('.slider.unused').first();
    const opacities = await unused
      .locator('label, input')
      .evaluateAll((all) => all.map((element) => getComputedStyle(element).opacity));
    expect(opacities).toEqual(['1', '1', '1']);
    await startLongRun(studio);
    const card = await colorAt(studio.page.locator('.stage'), 0.5, 0.005);
    for (const kind of ['computed', 'forecast']) {
      const bar = studio.page.locator(`.bar.done.${kind}`).first();
      expect(contrast(await colorAt(bar, 0.5, 0.9), card), kind).toBeGreaterThanOrEqual(3);
    }
    await studio.close();
  });
});

describe('in forced colours', () => {
  // Without transitions: colours are taken at once.
  const FORCED = { forcedColors: 'active', reducedMotion: 'reduce' } as const;
  let studio: StudioPage;
  let page: Page;
  beforeAll(async () => {
    studio = await open(FORCED);
    page = studio.page;
    await studio.ready();
  });
  afterAll(() => studio.close());

  it('tells chosen from not chosen, on from off, and what cannot be used', async () => {
    const inner = [0.04, 0.3] as const;
    const preset = (name: string) => colorAt(studio.button(name), ...inner);
    expect(contrast(await preset('Balanced'), await preset('Draft'))).toBeGreaterThanOrEqual(3);
    const segment = (name: string) =>
      colorAt(page.locator('.cache .segments label', { hasText: name }), ...inner);
    expect(contrast(await segment('Error'), await segment('Budget'))).toBeGreaterThanOrEqual(3);

    const knob = page.getByRole('switch');
    const [on, off] = [0.25, 0.75];
    const sides = async () => [await colorAt(knob, on, 0.5), await colorAt(knob, off, 0.5)];
    await knob.check();
    const checked = await sides();
    await knob.uncheck();
    const unchecked = await sides();
    expect(contrast(checked[0]!, unchecked[1]!)).toBeGreaterThanOrEqual(3);
    expect(contrast(checked[0]!, checked[1]!)).toBeGreaterThanOrEqual(3);
    expect(contrast(unchecked[0]!, unchecked[1]!)).toBeGreaterThanOrEqual(3);

    const colors = await page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement('i'));
      probe.style.forcedColorAdjust = 'none';
      const of = (name: string) => {
        probe.style.color = name;
        return getComputedStyle(probe).color;
      };
      const result = { gray: of('GrayText'), text: of('ButtonText') };
      probe.remove();
      return result;
    });
    const colorOf = (name: string | RegExp) =>
      page.getByRole('button', { name }).evaluate((element) => getComputedStyle(element).color);
    expect(await colorOf(/^Cancel/)).toBe(colors.gray);
    expect(await colorOf('Draft')).not.toBe(colors.gray);
    await studio.number('Sigma, as a number').fill('7');
    const border = (name: string) =>
      studio.number(name).evaluate((element) => {
        const { borderTopWidth, borderTopStyle, outlineStyle } = getComputedStyle(element);
        return [borderTopWidth, borderTopStyle, outlineStyle].join(' ');
      });
    expect(await border('Sigma, as a number')).not.toBe(await border('Order, as a number'));
  });

  it('shows the focus on every kind of control', async () => {
    for (const control of [
      studio.prompt,
      studio.button('Draft'),
      studio.slider('Tolerance'),
      studio.number('Steps'),
      studio.page.getByLabel('Sampler'),
      studio.page.getByRole('switch'),
      studio.page.getByRole('listbox', { name: /^Timeline/ }),
      studio.page.locator('.engine summary'),
    ]) {
      await control.focus();
      await studio.page.keyboard.press('Shift');
      const ring = await control.evaluate((element) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
      });
      expect(ring, String(control)).toBe(true);
    }
  });

  it('shows how far sliders and progress are, and which steps are computed', async () => {
    await studio.button('HiCache as published').click();
    await studio.slider('Interval').fill('6');
    const slider = studio.slider('Interval');
    const [before, after] = [await colorAt(slider, 0.1, 0.5), await colorAt(slider, 0.9, 0.5)];
    expect(contrast(before, after)).toBeGreaterThanOrEqual(3);

    await startLongRun(studio, 300);
    await studio.stepsDone(30);
    const bar = page.locator('.progress progress');
    const done = await colorAt(bar, 0.01, 0.5);
    const left = await colorAt(bar, 0.99, 0.5);
    expect(contrast(done, left)).toBeGreaterThanOrEqual(3);

    const card = await colorAt(page.locator('.stage'), 0.5, 0.005);
    const kind = (name: string) => colorAt(page.locator(name).first(), 0.5, 0.9);
    const computed = await kind('.bar.done.computed');
    const forecast = await kind('.bar.done.forecast');
    expect(contrast(computed, card)).toBeGreaterThanOrEqual(3);
    expect(contrast(forecast, card)).toBeGreaterThanOrEqual(3);
    expect(forecast).not.toEqual(computed);
    const key = (name: string) => colorAt(page.locator(`.key.${name}`), 0.05, 0.5);
    expect(await key('computed')).toEqual(computed);
    expect(await key('forecast')).toEqual(forecast);
  });
});

describe('Escape', () => {
  /** Handlers of a key have run when it was pressed; what they changed is in the next frame. */
  async function isRunning(studio: StudioPage): Promise<boolean> {
    await studio.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    return (await studio.cancel.isEnabled()) && (await studio.cancel.innerText()).includes('Esc');
  }

  it('cancels from the prompt and the result, and from nowhere else', async () => {
    const studio = await open();
    const { page } = studio;
    await studio.ready();
    await page.getByText('What can it draw?').click();
    await startLongRun(studio);
    for (const control of [
      studio.number('Steps'),
      studio.slider('Interval'),
      studio.number('Interval, as a number'),
      page.getByLabel('Sampler'),
      studio.button('Draft'),
      page.getByRole('searchbox'),
      page.getByRole('button', { name: /^Models/ }),
    ]) {
      await control.focus();
      await page.keyboard.press('Escape');
      expect(await isRunning(studio), String(control)).toBe(true);
    }
    await page.getByRole('listbox', { name: /^Timeline/ }).focus();
    await page.keyboard.press('Escape');
    await page.getByRole('status').getByText('cancelled').waitFor({ state: 'attached' });

    await studio.generate.click();
    await studio.stepsDone(2);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press('Escape');
    await expect.poll(() => studio.cancel.isDisabled(), { timeout: 60_000 }).toBe(true);
    await studio.close();
  });

  it('is left to an input method, to an open popover and to a dialog', async () => {
    const studio = await open();
    const { page } = studio;
    await studio.ready();
    await startLongRun(studio);
    for (const init of [{ isComposing: true }, { keyCode: 229 }]) {
      await studio.prompt.evaluate((field, extra) => {
        const event = { key: 'Escape', bubbles: true, cancelable: true, ...extra };
        field.dispatchEvent(new KeyboardEvent('keydown', event));
      }, init);
      expect(await isRunning(studio), JSON.stringify(init)).toBe(true);
    }

    // Safari gives no focus to what is clicked: the popover is open, and the focus elsewhere.
    await page
      .locator('.engine')
      .evaluate((details) => ((details as HTMLDetailsElement).open = true));
    await studio.prompt.evaluate((field) => field.focus());
    await page
      .locator('.engine')
      .evaluate((details) => ((details as HTMLDetailsElement).open = true));
    await page.keyboard.press('Escape');
    await page.locator('.engine .card').waitFor({ state: 'hidden' });
    expect(await isRunning(studio)).toBe(true);

    const models = new ModelsPage(studio);
    await models.open();
    await page.keyboard.press('Escape');
    await models.dialog.waitFor({ state: 'hidden' });
    expect(await isRunning(studio)).toBe(true);

    await studio.prompt.focus();
    await page.keyboard.press('Escape');
    await expect.poll(() => studio.cancel.isDisabled(), { timeout: 60_000 }).toBe(true);
    await studio.close();
  });
});

describe('what else people set', () => {
  it('moves nothing for those who asked for less motion', async () => {
    const studio = await open({ reducedMotion: 'reduce' });
    await studio.ready();
    await startLongRun(studio);
    const moving = await studio.page.evaluate(() =>
      document.getAnimations().map((animation) => String(animation.effect)),
    );
    expect(moving).toEqual([]);
    await studio.close();
  });

  it('draws stronger lines and text for those who asked for more contrast', async () => {
    const studio = await open({ contrast: 'more' });
    await studio.ready();
    const card = await colorAt(studio.page.locator('.cache'), 0.5, 0.005);
    // The border is a pixel wide, somewhere among these.
    const edges = [];
    for (const down of [0, 0.02, 0.04, 0.06]) {
      edges.push(contrast(await colorAt(studio.button('Draft'), 0.5, down), card));
    }
    expect(Math.max(...edges)).toBeGreaterThanOrEqual(7);
    await studio.close();
  });
});
