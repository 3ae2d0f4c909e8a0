/** An import that the page is taken away from, again and again, comes out the same to the byte. */
import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, openStudio } from './browser.ts';
import { CHECKPOINT, CHECKPOINT_TITLE, ModelsPage } from './models-page.ts';

const KILLS = 10;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

async function openModels(): Promise<ModelsPage> {
  const models = new ModelsPage(await openStudio(browser));
  await models.open();
  return models;
}

it('survives ten reloads at random moments', async () => {
  const undisturbed = await openModels();
  const started = performance.now();
  await undisturbed.addFolder(CHECKPOINT);
  const usual = performance.now() - started;
  const expected = await undisturbed.storedFiles();
  await undisturbed.studio.close();

  const models = await openModels();
  const { page } = models.studio;
  const moments = fc.sample(fc.double({ min: 0.1, max: 0.9, noNaN: true }), {
    numRuns: KILLS,
    seed: 11,
  });
  for (const moment of moments) {
    await models.chooseFolder(CHECKPOINT);
    await models.button('Add the model').click();
    await page.waitForTimeout(moment * usual);
    await page.reload();
    await models.open();
  }
  await models.addFolder(CHECKPOINT);
  // The manifest has the hash of every file; the check compares them with the bytes that are stored.
  expect(await models.storedFiles()).toEqual(expected);
  await models.button(`Check ${CHECKPOINT_TITLE}`).click();
  await models.stored.getByText('Every file is as it was stored').waitFor();
  await models.studio.close();
});
