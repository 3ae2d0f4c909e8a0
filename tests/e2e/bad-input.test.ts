import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEADLESS_FLAGS } from '../../scripts/chromium.ts';
import { withSmallSize } from '../unit/support/small.ts';
import { launchBrowser, openStudio } from './browser.ts';
import type { StudioPage } from './studio-page.ts';

const PROMPT = 'a big fox on a blue background';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** The page is as good as before: it makes a short picture. */
async function expectPicture(studio: StudioPage): Promise<void> {
  await studio.ready();
  await studio.start(PROMPT, 4);
  const { stats } = await studio.finished();
  expect(stats.steps).toBe(4);
}

describe('what cannot be drawn', () => {
  let studio: StudioPage;
  beforeAll(async () => {
    studio = await openStudio(browser, { manifest: withSmallSize });
    await studio.ready();
  });
  afterAll(() => studio.close());

  it('an empty prompt', async () => {
    await studio.prompt.fill('   \n ');
    await studio.generate.click();
    expect(await studio.alert.innerText()).toMatch(/prompt is empty[\s\S]*take an example/);
    await studio.button('Dismiss').click();
    await studio.alert.waitFor({ state: 'detached' });
    await expectPicture(studio);
  });

  it('a word that the model does not know, beside words that it knows', async () => {
    await studio.start('a big fox and a zzyzx', 3);
    const { stats } = await studio.finished();
    expect(stats.unknownWords).toEqual(['zzyzx']);
    expect(await studio.unknownWords.innerText()).toBe(
      'The model does not know: zzyzx. It drew the rest.',
    );
    await studio.start(PROMPT, 3);
    await studio.finished();
    expect(await studio.unknownWords.count()).toBe(0);
  });

  it.each([
    {
      field: 'Steps',
      values: ['0', '10000', '2.5', ''],
      says: 'Steps must be a whole number from 1 to 1000',
      good: '4',
    },
    {
      field: 'Sigma, as a number',
      values: ['', '0', '1.5'],
      says: 'Sigma must be a number from 0.1 to 1',
      good: '0.5',
    },
  ])('$field: $values', async ({ field, values, says, good }) => {
    await studio.prompt.fill(PROMPT);
    for (const value of values) {
      await studio.number(field).fill(value);
      expect(await studio.number(field).getAttribute('aria-invalid')).toBe('true');
      await studio.generate.click();
      expect(await studio.alert.innerText()).toContain(says);
      await studio.button('Dismiss').click();
    }
    await studio.number(field).fill(good);
    await expectPicture(studio);
  });

  it('a sigma that stops being a number while the picture is made', async () => {
    await studio.button('HiCache as published').click();
    await studio.slider('Interval').fill('1');
    await studio.start(PROMPT, 100);
    await studio.stepsDone(2);
    await studio.number('Sigma, as a number').fill('');
    await studio.number('Sigma, as a number').fill('0.9');
    const { stats } = await studio.finished();
    expect(stats.cache.map(({ settings }) => settings.sigma)).toEqual([0.5, 0.9]);
  });
});

describe('a bundle that is not whole', () => {
  const breaks: Record<
    string,
    { file: string; answer: (route: Route) => Promise<void>; says: RegExp }
  > = {
    'no manifest': {
      file: 'manifest.json',
      answer: (route) => route.fulfill({ status: 404 }),
      says: /There is no .*manifest\.json.*404/s,
    },
    'a manifest that is cut short': {
      file: 'manifest.json',
      answer: (route) => cutShort(route, 1000),
      says: /manifest\.json is not valid JSON/,
    },
    'a missing file': {
      file: 'trunk.data',
      answer: (route) => route.fulfill({ status: 404 }),
      says: /There is no .*trunk\.data.*404/s,
    },
    'a file that is cut short': {
      file: 'trunk.data',
      answer: (route) => cutShort(route, 5000),
      says: /trunk\.data is cut short: it has 5000 bytes/,
    },
    'a broken connection': {
      file: 'trunk.data',
      answer: (route) => route.abort(),
      says: /trunk\.data cannot be reached/,
    },
  };

  it.each(Object.entries(breaks))('%s', async (_, { file, answer, says }) => {
    const pattern = `**/models/**/${file}`;
    const studio = await openStudio(browser, {
      prepare: (page: Page) => page.context().route(pattern, answer),
    });
    await studio.alert.waitFor();
    expect(await studio.alert.innerText()).toMatch(says);
    await studio.page.getByText('No model is loaded').waitFor();

    await studio.page.context().unroute(pattern);
    await studio.button('Load the model again').click();
    await expectPicture(studio);
    await studio.close();
  });

  it('asked for a picture, it tries to load again', async () => {
    const pattern = '**/models/**/manifest.json';
    const studio = await openStudio(browser, {
      prepare: (page: Page) =>
        page.context().route(pattern, (route) => route.fulfill({ status: 404 })),
    });
    await studio.alert.waitFor();
    await studio.prompt.fill(PROMPT);
    await studio.generate.click();
    await studio.cancel.and(studio.page.locator(':disabled')).waitFor();
    expect(await studio.alert.innerText()).toMatch(/There is no .*manifest\.json/);
    await studio.page.context().unroute(pattern);
    await studio.start(PROMPT, 4);
    expect((await studio.finished()).stats.steps).toBe(4);
    await studio.close();
  });
});

describe('a browser without WebGPU', () => {
  const withGpu = /webgpu/;
  let plain: Browser;
  beforeAll(async () => {
    const flags = HEADLESS_FLAGS.filter((flag) => !withGpu.test(flag));
    plain = await launchBrowser([...flags, '--disable-features=WebGPU', '--disable-gpu']);
  });
  afterAll(() => plain.close());

  it('says so when WebGPU is asked for, and offers the CPU', async () => {
    const studio = await openStudio(plain, { backend: 'webgpu' });
    await studio.alert.waitFor();
    expect(await studio.alert.innerText()).toMatch(/WebGPU/);
    await studio.button('Use the CPU').click();
    await expectPicture(studio);
    await studio.close();
  });

  it('uses the CPU by itself and says why', async () => {
    const studio = await openStudio(plain, { backend: 'auto' });
    expect(await studio.ready()).toBe('cpu');
    await studio.page.locator('.engine summary').click();
    expect(await studio.page.locator('.engine .card').innerText()).toMatch(/WebGPU|GPU/);
    await expectPicture(studio);
    await studio.close();
  });
});

describe('an address that asks for what there is not', () => {
  it.each([
    ['?backend=quantum', 'There is no backend "quantum"'],
    ['?model=file:///etc/', 'is not an address of a model'],
  ])('%s', async (query, says) => {
    const studio = await openStudio(browser);
    await studio.page.goto(new URL(query, studio.page.url()).href);
    await studio.alert.waitFor();
    expect(await studio.alert.innerText()).toContain(says);
    await studio.close();
  });
});

/** The real answer's first bytes, without saying that there were more. */
async function cutShort(route: Route, bytes: number): Promise<void> {
  const response = await route.fetch();
  await route.fulfill({ body: (await response.body()).subarray(0, bytes) });
}
