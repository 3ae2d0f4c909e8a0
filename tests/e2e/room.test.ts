/** Room for models: what the browser estimates is no limit, and a real limit loses nothing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { HEADLESS_FLAGS } from '../../scripts/chromium.ts';
import { writeTrueFlux } from '../unit/support/true-flux.ts';
import { launchBrowser, openStudio } from './browser.ts';
import { CHECKPOINT, CHECKPOINT_TITLE, ModelsPage } from './models-page.ts';
import { StudioPage } from './studio-page.ts';

const CONVERTING_MS = 120_000;

let browser: Browser;
let scratch: string;
beforeAll(async () => {
  browser = await launchBrowser();
  scratch = await mkdtemp(join(tmpdir(), 'room-'));
});
afterAll(async () => {
  await browser.close();
  await rm(scratch, { recursive: true, force: true });
});

async function openModels(prepare?: (page: Page) => Promise<unknown>): Promise<ModelsPage> {
  const models = new ModelsPage(await openStudio(browser, prepare ? { prepare } : {}));
  await models.open();
  return models;
}

describe('a model that is larger than what the browser estimates', () => {
  // FLUX.1's bundle takes 10.86 GB; 10.74 GB is the most that Chromium estimates to be free.
  it.each([
    ['FLUX.1-dev', true, /of 33\.74 GB/],
    ['FLUX.1-schnell', false, /of 33\.72 GB/],
  ] as const)('%s is taken as far as its first weights', async (name, guidance, total) => {
    const { folder } = await writeTrueFlux(join(scratch, name), guidance);
    // Not a private window, as the other tests have it: those keep files in memory.
    const context = await chromium.launchPersistentContext(join(scratch, `${name}-profile`), {
      executablePath: inject('chromiumPath'),
      args: [...HEADLESS_FLAGS],
      serviceWorkers: 'block',
    });
    try {
      const page = await context.newPage();
      await page.goto(`${inject('pageUrl')}?backend=cpu`);
      const models = new ModelsPage(new StudioPage(page));
      await models.open();
      const estimate = await page.evaluate(() => navigator.storage.estimate());
      expect(estimate.quota! - estimate.usage!).toBeLessThan(10.8e9);

      await models.chooseFolder(folder);
      await models.button('Add the model').click();
      const converting = models.dialog.locator('.importing').getByText(total);
      await converting.or(models.alert).waitFor({ timeout: CONVERTING_MS });
      if (await models.alert.isVisible()) throw new Error(await models.alert.innerText());
      expect(await models.dialog.locator('.importing').innerText()).toMatch(/Converting the/);
      // The rest of the room is set aside.
      expect(await models.usedBytes()).toBeGreaterThan(10e9);
      expect(await models.stored.innerText()).not.toContain('GB so far');

      await models.button('Cancel').click();
      await models.dialog.getByText('What is done is kept').waitFor();
      expect(await models.usedBytes()).toBeLessThan(2e9);
      expect(await models.stored.innerText()).toMatch(/4 bits[\s\S]*Choose the same files again/);
    } finally {
      await context.close();
    }
  });
});

describe('a storage that is really full', () => {
  const bundle = (): string => new URL('models/pocket/', inject('pageUrl')).href;

  it('is found out before anything is converted or downloaded, with true figures', async () => {
    const models = await openModels();
    await models.limitStorage(2e6);
    await models.chooseFolder(CHECKPOINT);
    await models.button('Add the model').click();
    const refused =
      /^There is no room for (2\d\.\d) MB more of the model: (\d+ kB|1\.\d MB|2\.0 MB) are free\./;
    expect(await models.alert.innerText()).toMatch(refused);
    expect(await models.alert.getAttribute('data-code')).toBe('out-of-storage');
    expect(await models.stored.innerText()).toContain('0 kB so far');

    await models.studio.radio('From', 'The web').check({ force: true });
    await models.dialog.getByLabel('Address', { exact: true }).fill(bundle());
    await models.button('Add the model').click();
    await models.alert.waitFor();
    expect(await models.alert.innerText()).toMatch(refused);

    // With room, what was refused goes on.
    await models.limitStorage();
    await models.button('Continue').click();
    await models.added();
    await models.button(`Check ${CHECKPOINT_TITLE}`).click();
    await models.stored.getByText('Every file is as it was stored').waitFor();
    await models.studio.close();
  });

  it('in the middle of a conversion: the rest is made later, the same to the byte', async () => {
    const undisturbed = await openModels();
    await undisturbed.addFolder(CHECKPOINT);
    const expected = await undisturbed.storedFiles();
    await undisturbed.studio.close();

    const models = await openModels();
    await models.chooseFolder(CHECKPOINT);
    await models.button('Add the model').click();
    await models.halfAdded();
    await models.limitStorage(1e6);
    await models.alert.waitFor();
    expect(await models.alert.getAttribute('data-code')).toBe('out-of-storage');
    expect(await models.alert.innerText()).toMatch(/^There is no room .*\.\s+Delete a model/);
    expect(await models.stored.innerText()).toMatch(/MB so far[\s\S]*Choose the same files again/);

    // A full storage still lists what there is, and refuses to go on.
    await models.studio.page.reload();
    await models.open();
    expect(await models.stored.innerText()).toMatch(/MB so far/);
    await models.chooseFolder(CHECKPOINT);
    await models.button('Add the model').click();
    await models.alert.waitFor();
    expect(await models.alert.innerText()).toMatch(/: 0 kB are free\./);

    await models.limitStorage();
    await models.button('Continue').click();
    await models.added();
    expect(await models.storedFiles()).toEqual(expected);
    await models.button(`Check ${CHECKPOINT_TITLE}`).click();
    await models.stored.getByText('Every file is as it was stored').waitFor();
    await models.studio.close();
  });

  it('is made less full by deleting', async () => {
    const models = await openModels();
    await models.addFolder(CHECKPOINT);
    await models.limitStorage(1e6);
    await models.button(`Delete ${CHECKPOINT_TITLE}`).click();
    await models.button(`Delete ${CHECKPOINT_TITLE} now`).click();
    await models.stored.waitFor({ state: 'detached' });
    expect(await models.usedBytes()).toBeLessThan(1e6);
    expect(await models.alert.count()).toBe(0);
    await models.studio.close();
  });
});

describe('a browser', () => {
  /** Takes something away from the page and from the worker that keeps models. */
  const without = (code: string) => async (page: Page) => {
    await page.addInitScript(code);
    await page.context().route(/library-[\w-]+\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${code};${await response.text()}` });
    });
  };
  const remove = (object: string, name: string): string =>
    `Object.defineProperty(${object}, '${name}', { value: undefined, configurable: true })`;
  const NO_FILES = /keeps no files for this page, so no models can be added/;

  it.each([
    ['no storage', remove('navigator', 'storage')],
    ['no private files', remove('StorageManager.prototype', 'getDirectory')],
    [
      'private files that it refuses',
      `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('', 'SecurityError'))`,
    ],
  ])('with %s says so, and fails only when a model is added', async (_, code) => {
    const studio = await openStudio(browser, { prepare: without(code) });
    await studio.page.getByRole('button', { name: /^Models/ }).click();
    const models = new ModelsPage(studio);
    await models.dialog.getByText(NO_FILES).waitFor();
    expect(await models.alert.count()).toBe(0);
    await models.chooseFolder(CHECKPOINT);
    await models.button('Add the model').click();
    await models.alert.waitFor();
    expect(await models.alert.innerText()).toMatch(/^This browser keeps no files for this page\./);
    await models.close();
    await studio.ready();
    await studio.close();
  });

  it.each([
    [
      'neither persist nor estimate',
      ['persist', 'persisted', 'estimate']
        .map((name) => remove('StorageManager.prototype', name))
        .join(';'),
    ],
    [
      'a persist that is refused',
      `StorageManager.prototype.persist = () => Promise.reject(new Error('no'))`,
    ],
    [
      'a persist that fails at once',
      `StorageManager.prototype.persist = () => { throw new Error('no') }`,
    ],
  ])('with %s keeps models', async (_, code) => {
    const studio = await openStudio(browser, { prepare: without(code) });
    await studio.page.getByRole('button', { name: /^Models/ }).click();
    const models = new ModelsPage(studio);
    await models.dialog.getByText('may clear stored models').waitFor();
    await models.addFolder(CHECKPOINT);
    expect(await models.stored.innerText()).toMatch(/2\d\.\d MB/);
    await studio.close();
  });
});
