import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openStudio } from './browser.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

it('is worked by keyboard alone: prompt, cancel, settings, picture, timeline', async () => {
  const studio = await openStudio(browser);
  await studio.ready();
  const { keyboard } = studio.page;
  /** Tab to the control of that name, as somebody would who cannot point at it. */
  const tabTo = async (name: string | RegExp, role: 'slider' | 'button' | 'listbox') => {
    const target = studio.page.getByRole(role, { name, exact: true });
    for (let presses = 0; presses < 40; presses++) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach the ${role} ${String(name)}.`);
  };

  // The prompt has the focus from the start; Shift+Enter is a new line.
  await keyboard.type('a big fox');
  await keyboard.press('Shift+Enter');
  await keyboard.type('on a blue background');
  expect(await studio.prompt.inputValue()).toBe('a big fox\non a blue background');

  await studio.number('Steps').fill('40');
  await studio.prompt.focus();
  await tabTo('Compute every step', 'button');
  await keyboard.press('Enter');
  await studio.prompt.focus();
  await keyboard.press('Control+Enter');
  await studio.stepsDone(2);
  await keyboard.press('Escape');
  await studio.page.getByRole('status').getByText('cancelled').waitFor();

  await tabTo('HiCache as published', 'button');
  await keyboard.press('Enter');
  await tabTo('Interval', 'slider');
  await keyboard.press('End');
  expect(await studio.slider('Interval').inputValue()).toBe('12');
  await tabTo('Order', 'slider');
  await keyboard.press('ArrowLeft');
  expect(await studio.slider('Order').inputValue()).toBe('1');

  await studio.prompt.focus();
  await keyboard.press('Enter');
  const { stats } = await studio.finished();
  expect(stats.prompt).toBe('a big fox\non a blue background');
  expect(stats.computeSteps).toEqual([0, 1, 2, 14, 26, 38]);
  expect(stats.cache).toMatchObject([{ settings: { order: 1, interval: 12 } }]);

  await studio.prompt.focus();
  await tabTo(/^Timeline/, 'listbox');
  await keyboard.press('Home');
  await keyboard.press('ArrowRight');
  const reading = studio.page.locator('.reading');
  expect(await reading.innerText()).toMatch(/^Step 2: computed in .*Hermite, order 1/);
  await keyboard.press('End');
  expect(await reading.innerText()).toMatch(/^Step 40: forecast in/);
  await studio.close();
});
