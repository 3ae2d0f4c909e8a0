import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { decode } from 'fast-png';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { psnr } from '../../cli/lib/psnr.ts';
import {
  diffusersFiles,
  goldenFolder,
  goldenPictures,
  writeFiles,
} from '../unit/support/tiny-flux.ts';
import { withAlpha } from '../unit/support/pixels.ts';
import { launchBrowser, openStudio } from './browser.ts';
import { CHECKPOINT, CHECKPOINT_TITLE, ModelsPage } from './models-page.ts';
import type { FinishedPicture, StudioPage } from './studio-page.ts';

const PROMPT = 'a big fox on a blue background';

const TINY_TITLE = 'Tiny FLUX';
/** Folder of a checkpoint that converts in a second. */
let tiny: string;
let browser: Browser;
beforeAll(async () => {
  tiny = await mkdtemp(join(tmpdir(), 'tiny-flux-'));
  await writeFiles(tiny, diffusersFiles());
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await rm(tiny, { recursive: true });
});

async function openModels(requests: string[] = []): Promise<ModelsPage> {
  const studio = await openStudio(browser, {
    prepare: async (page) => page.on('request', (request) => requests.push(request.url())),
  });
  await studio.ready();
  const models = new ModelsPage(studio);
  await models.open();
  return models;
}

/** Four steps, all computed, of a seed that stays. */
async function draw(studio: StudioPage): Promise<FinishedPicture> {
  await studio.number('Steps').fill('4');
  await studio.fixSeed(7);
  await studio.button('Compute every step').click();
  await studio.prompt.fill(PROMPT);
  await studio.generate.click();
  const picture = await studio.finished();
  expect(picture.stats).toMatchObject({ steps: 4, seed: 7, computeSteps: [0, 1, 2, 3] });
  return picture;
}

it('adds a checkpoint from a folder, draws with it, also at the next visit, and deletes it', async () => {
  const requests: string[] = [];
  const ofBuiltIn = () => requests.filter((url) => url.includes('/models/pocket/'));
  const models = await openModels(requests);
  const { studio } = models;
  expect(ofBuiltIn()).not.toEqual([]);
  await models.dialog.getByText(/MB · comes with the page/).waitFor();
  await models.close();
  const builtIn = await draw(studio);
  await models.open();

  await models.addFolder(CHECKPOINT);
  expect(await models.stored.count()).toBe(1);
  expect(await models.stored.innerText()).toMatch(/MB · 4 and 8 bits/);
  await models.button(`Use ${CHECKPOINT_TITLE} now`).click();
  await models.dialog.waitFor({ state: 'hidden' });
  await studio.ready();
  const first = await draw(studio);
  // Converted here from the same checkpoint as the one that comes with the page.
  expect(psnr(first.pixels, builtIn.pixels)).toBeGreaterThan(40);

  requests.length = 0;
  await studio.page.reload();
  await studio.ready();
  const again = await draw(studio);
  expect(again.pixels).toEqual(first.pixels);
  expect(requests).not.toEqual([]);
  expect(ofBuiltIn()).toEqual([]);

  await models.open();
  await models.stored.getByText('In use').waitFor();
  const before = await models.usedBytes();
  const bytes = megabytesIn(await models.stored.innerText());
  await models.button(`Delete ${CHECKPOINT_TITLE}`).click();
  await models.button(`Delete ${CHECKPOINT_TITLE} now`).click();
  await models.stored.waitFor({ state: 'detached' });
  const freed = before - (await models.usedBytes());
  expect(freed).toBeGreaterThan(0.9 * bytes);
  expect(freed).toBeLessThan(1.1 * bytes);
  await models.close();
  await studio.ready();
  expect((await draw(studio)).pixels).toEqual(builtIn.pixels);
  await studio.close();
});

it('adds a folder that is dropped, on the dialog or on the page', async () => {
  const models = await openModels();
  const picked = models.dialog.locator('.picked', { hasText: basename(tiny) });
  await models.drop(tiny);
  await picked.waitFor();
  await models.button('Choose none of these').click();
  await models.close();
  await models.drop(tiny);
  await picked.waitFor();
  await models.button('Add the model').click();
  await models.added();
  expect(await models.stored.innerText()).toContain(`From ${basename(tiny)}`);
  await models.studio.close();
});

it('makes the pictures that diffusers makes, with a guidance that can be set', async () => {
  const models = await openModels();
  const { studio } = models;
  await models.dialog.getByLabel('Store weights in').selectOption('f16');
  await models.addFolder(tiny);
  await models.button(`Use ${TINY_TITLE} now`).click();
  await studio.page.getByText(`${TINY_TITLE} on CPU`).waitFor();

  // What the model is usually given takes the place of what was set for the one before.
  expect(await studio.number('Steps').inputValue()).toBe('4');
  expect(await studio.number('Guidance, as a number').inputValue()).toBe('3.5');
  const sizes = await studio.page.getByLabel('Size', { exact: true }).innerText();
  expect(sizes.split('\n')).toEqual(['64 × 96', '96 × 64']);
  await studio.button('Compute every step').click();
  for (const [i, { prompt, seed, guidance }] of goldenPictures.slice(0, 2).entries()) {
    await studio.fixSeed(seed);
    await studio.number('Guidance, as a number').fill(String(guidance));
    await studio.prompt.fill(prompt);
    await studio.generate.click();
    const { stats, pixels } = await studio.finished();
    expect(stats.guidance).toBe(guidance);
    const golden = decode(await readFile(join(goldenFolder, `picture-${i}.png`)));
    expect(psnr(pixels, withAlpha(golden.data))).toBeGreaterThan(40);
  }
  await studio.number('Guidance, as a number').fill('31');
  await studio.generate.click();
  expect(await studio.alert.innerText()).toMatch(/Guidance must be a number from 0 to 30/);
  await studio.close();
});

function megabytesIn(text: string): number {
  return Number(/([\d.]+) MB/.exec(text)![1]) * 1e6;
}

it('adds a bundle by its address, after one that is none', async () => {
  const models = await openModels();
  const { studio } = models;
  await studio.radio('From', 'The web').check({ force: true });
  const address = models.dialog.getByLabel('Address', { exact: true });
  await address.fill(new URL('nowhere/', inject('pageUrl')).href);
  await models.button('Add the model').click();
  expect(await models.alert.innerText()).toMatch(/no model|not there|There is no/i);
  await address.fill(new URL('models/pocket/', inject('pageUrl')).href);
  await models.button('Add the model').click();
  await models.added();
  await models.button(`Use ${CHECKPOINT_TITLE} now`).click();
  await studio.ready();
  const stored = await draw(studio);
  await models.open();
  await models.stored.getByText('In use').waitFor();
  expect(await models.stored.innerText()).toContain('/models/pocket/');
  expect(stored.stats.steps).toBe(4);
  await studio.close();
});

it('goes on with an import that was cancelled, and with one that a reload ended', async () => {
  const whole = await openModels();
  await whole.addFolder(CHECKPOINT);
  const expected = await whole.storedFiles();
  await whole.studio.close();

  const models = await openModels();
  await models.chooseFolder(CHECKPOINT);
  await models.button('Add the model').click();
  await models.halfAdded();
  await models.button('Cancel').click();
  await models.dialog.getByText('What is done is kept').waitFor();
  expect(await models.stored.innerText()).toMatch(/MB so far[\s\S]*Choose the same files again/);
  await models.button('Continue').click();

  await models.halfAdded();
  await models.studio.page.reload();
  await models.open();
  await models.button(`Choose again for ${CHECKPOINT_TITLE}`).click();
  await models.addFolder(CHECKPOINT);
  expect(await models.storedFiles()).toEqual(expected);
  expect(await models.stored.innerText()).not.toContain('so far');
  await models.studio.close();
});

it('goes on while the dialog is closed, and pictures are made meanwhile', async () => {
  const models = await openModels();
  const { studio } = models;
  await models.chooseFolder(CHECKPOINT);
  await models.button('Add the model').click();
  await models.halfAdded();
  await studio.page.keyboard.press('Escape');
  await models.dialog.waitFor({ state: 'hidden' });
  await studio.page.getByRole('button', { name: /^Models.*adding/ }).waitFor();
  expect((await draw(studio)).stats.steps).toBe(4);
  await studio.page.getByRole('button', { name: /^Models.*added/ }).waitFor();
  await models.open();
  expect(await models.stored.count()).toBe(1);
  await studio.close();
});

describe('a stored model', () => {
  let models: ModelsPage;
  beforeAll(async () => {
    models = await openModels();
    await models.addFolder(tiny);
  });
  afterAll(() => models.studio.close());

  it('is checked: damage is found and named', async () => {
    await models.button(`Check ${TINY_TITLE}`).click();
    await models.stored.getByText('Every file is as it was stored').waitFor();
    await models.damage('trunk.data');
    await models.button(`Check ${TINY_TITLE}`).click();
    await models.stored.getByText('Damaged: trunk.data.').waitFor();
  });

  it('that has gone gives way to the one that comes with the page', async () => {
    const { studio } = models;
    await models.stored.getByRole('button', { name: 'Use' }).click();
    await studio.ready();
    await models.clearStore();
    await studio.page.reload();
    expect(await studio.alert.innerText()).toMatch(/no longer here[\s\S]*comes with the page/);
    await studio.ready();
    await studio.button('Dismiss').click();
    expect((await draw(studio)).stats.steps).toBe(4);
  });
});

it('says what is wrong with files that are no model, and keeps what was chosen', async () => {
  const models = await openModels();
  await models.button('Add the model').click();
  expect(await models.alert.innerText()).toMatch(/No files are chosen/);
  await models.dialog
    .locator('input[name=model-files]')
    .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no model') });
  await models.button('Add the model').click();
  expect(await models.alert.innerText()).toMatch(/no model|transformer|safetensors/i);
  expect(await models.dialog.locator('.picked').innerText()).toContain('notes.txt');
  expect(await models.stored.count()).toBe(0);
  await models.studio.close();
});

it('leaves the picture alone when Escape closes the dialog, and gives the focus back', async () => {
  const models = await openModels();
  const { studio } = models;
  await models.close();
  await studio.number('Steps').fill('12');
  await studio.button('Compute every step').click();
  await studio.prompt.fill(PROMPT);
  await studio.generate.click();
  await studio.stepsDone(1);
  await models.open();
  await studio.page.keyboard.press('Escape');
  await models.dialog.waitFor({ state: 'hidden' });
  const focused = studio.page.locator(':focus');
  expect(await focused.innerText()).toMatch(/^Models/);
  expect((await studio.finished()).stats.steps).toBe(12);
  await studio.close();
});

it('keeps to the memory that the model may take, and remembers it', async () => {
  const models = await openModels();
  const { studio } = models;
  await models.dialog.getByLabel('A limit').check();
  await models.dialog.getByRole('spinbutton', { name: 'Limit in GB, as a number' }).fill('0.1');
  await models.dialog.getByText('must be a number from 0.5 to 64 GB').waitFor();
  await models.dialog.getByRole('spinbutton', { name: 'Limit in GB, as a number' }).fill('0.5');
  await models.button('Apply and load the model again').click();
  await models.dialog.getByText('may take 500.0 MB').waitFor();
  expect(await models.dialog.getByRole('row').count()).toBeGreaterThan(4);
  await models.close();
  await studio.page.reload();
  await studio.ready();
  await models.open();
  await models.dialog.getByText('may take 500.0 MB').waitFor();
  expect(await models.dialog.getByLabel('A limit').isChecked()).toBe(true);
  await studio.close();
});

it('draws with a stored model at a later visit without a network', async () => {
  const studio = await openStudio(browser, { serviceWorkers: 'allow' });
  await studio.page.getByRole('status').getByText('works offline').waitFor({ state: 'attached' });
  const models = new ModelsPage(studio);
  await models.open();
  await models.addFolder(tiny);
  await models.button(`Use ${TINY_TITLE} now`).click();
  await studio.ready();
  const online = await draw(studio);
  await studio.page.context().setOffline(true);
  await studio.page.reload();
  await studio.ready();
  expect((await draw(studio)).pixels).toEqual(online.pixels);
  await models.open();
  await models.stored.getByText('In use').waitFor();
  await studio.close();
});
