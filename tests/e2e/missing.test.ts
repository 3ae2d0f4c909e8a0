/** Browsers that lack something, or forbid it: private windows, plain http, small engines. */
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSmallSize } from '../unit/support/small.ts';
import { launchBrowser, openStudio } from './browser.ts';
import type { StudioPage } from './studio-page.ts';

const PROMPT = 'a big fox on a blue background';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const PRELUDE = 'before-everything.js';

/** Runs a script before every other one, in the page and in its workers. */
async function before(context: BrowserContext, script: string): Promise<void> {
  await context.addInitScript(script);
  await context.route(`**/${PRELUDE}`, (route) =>
    route.fulfill({ contentType: 'text/javascript', body: script }),
  );
  await context.route('**/assets/*.js', async (route) => {
    const headers = await route.request().allHeaders();
    if (headers['sec-fetch-dest'] !== 'worker') return route.fallback();
    const response = await route.fetch();
    const body = `import './${PRELUDE}';\n${await response.text()}`;
    return route.fulfill({ response, body });
  });
}

async function openWith(script: string): Promise<StudioPage> {
  return openStudio(browser, {
    manifest: withSmallSize,
    prepare: (page) => before(page.context(), script),
  });
}

async function makePicture(studio: StudioPage, steps = 3) {
  await studio.ready();
  await studio.number('Steps').fill(String(steps));
  await studio.prompt.fill(PROMPT);
  await studio.generate.click();
  return studio.finished();
}

const missing = (holder: string, name: string) =>
  `for (let at = ${holder}; at; at = Object.getPrototypeOf(at)) delete at['${name}'];`;
const throwing = (name: string) =>
  `Object.defineProperty(globalThis, '${name}', { configurable: true, get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } });`;

const LACKING: readonly [what: string, script: string, gone: string][] = [
  ['localStorage', missing('globalThis', 'localStorage'), 'typeof localStorage'],
  ['localStorage that throws', throwing('localStorage'), ''],
  ['navigator.storage', missing('navigator', 'storage'), 'typeof navigator.storage'],
  ['navigator.locks', missing('navigator', 'locks'), 'typeof navigator.locks'],
  ['caches', missing('globalThis', 'caches'), 'typeof caches'],
  ['caches that throw', throwing('caches'), ''],
  [
    'navigator.serviceWorker',
    missing('navigator', 'serviceWorker'),
    'typeof navigator.serviceWorker',
  ],
  ['Notification', missing('globalThis', 'Notification'), 'typeof Notification'],
  ['navigator.gpu', missing('navigator', 'gpu'), 'typeof navigator.gpu'],
];

const NO_DATABASE: readonly [what: string, script: string][] = [
  ['is missing', missing('globalThis', 'indexedDB')],
  [
    'is null',
    `Object.defineProperty(globalThis, 'indexedDB', { value: null, configurable: true });`,
  ],
  ['throws when it is touched', throwing('indexedDB')],
  [
    'throws when it is opened',
    `IDBFactory.prototype.open = () => { throw new DOMException('A mutation operation was attempted on a database that did not allow mutations.', 'InvalidStateError'); };`,
  ],
  [
    'refuses to open',
    `IDBFactory.prototype.open = () => { const request = new EventTarget(); request.error = new DOMException('No.', 'UnknownError'); setTimeout(() => request.onerror?.(new Event('error'))); return request; };`,
  ],
  ['never answers', `IDBFactory.prototype.open = () => new EventTarget();`],
];

describe('without', () => {
  it.each(LACKING)('%s', async (_, script, gone) => {
    const studio = await openWith(script);
    if (gone !== '') expect(await studio.page.evaluate(gone)).toBe('undefined');
    expect((await makePicture(studio)).stats.steps).toBe(3);
    expect(await studio.alert.count()).toBe(0);
    await studio.close();
  });
});

describe('where indexedDB', () => {
  it.each(NO_DATABASE)(
    '%s, pictures are made, and the page says what is not kept',
    async (_, script) => {
      const errors: string[] = [];
      const studio = await openStudio(browser, {
        manifest: withSmallSize,
        prepare: async (page) => {
          page.on('pageerror', (error) => errors.push(error.message));
          await before(page.context(), script);
        },
      });
      expect((await makePicture(studio)).stats.steps).toBe(3);
      await studio.page.getByText('Settings are not kept').waitFor();
      expect(await studio.page.getByText('Settings are not kept').count()).toBe(1);
      expect(await studio.alert.count()).toBe(0);

      await studio.page.getByRole('button', { name: /^Models/ }).click();
      const dialog = studio.page.getByRole('dialog', { name: 'Models' });
      if (!script.includes('new EventTarget(); }') && script !== NO_DATABASE.at(-1)![1]) {
        await dialog.getByText('keeps no files for this page').waitFor();
        expect(await dialog.getByText('Looking for stored models').count()).toBe(0);
      }
      expect(errors).toEqual([]);
      await studio.close();
    },
  );

  it('works, nothing is said', async () => {
    const studio = await openWith('');
    await studio.ready();
    await studio.number('Steps').fill('5');
    expect(await studio.page.getByText('Settings are not kept').count()).toBe(0);
    await studio.close();
  });
});

it('counts the threads that there are: one without SharedArrayBuffer', async () => {
  const studio = await openWith(missing('globalThis', 'SharedArrayBuffer'));
  await studio.ready();
  expect(await studio.page.evaluate('crossOriginIsolated')).toBe(true);
  await studio.page.locator('.engine summary').click();
  expect(await studio.page.locator('.engine .card').innerText()).toContain('1 thread,');
  const { stats } = await makePicture(studio);
  expect(stats.adapter).toMatch(/, 1 thread$/);
  await studio.close();
});

describe('a language that Intl does not know', () => {
  const speaking = (language: string) =>
    `Object.defineProperty(Navigator.prototype, 'language', { configurable: true, get: () => ${language} });`;

  it.each(["'C'", "'POSIX'", "'en-US-u-'", "'en_US.UTF-8'", 'undefined', "''"])(
    'the page works, its lab too: %s',
    async (language) => {
      const errors: string[] = [];
      const scripts: string[] = [];
      const studio = await openStudio(browser, {
        manifest: withSmallSize,
        prepare: async (page) => {
          page.on('pageerror', (error) => errors.push(error.message));
          page.on('request', (request) => {
            if (request.resourceType() === 'script') scripts.push(request.url());
          });
          await page.addInitScript(speaking(language));
        },
      });
      await makePicture(studio, 8);
      const early = new Set(scripts);
      await studio.button('Open the lab').click();
      await studio.chart('Verified relative error').locator('canvas').waitFor();
      await studio.chart('Histogram').locator('canvas').waitFor();
      // What draws charts is not loaded before it is needed.
      expect(scripts.filter((url) => !early.has(url))).not.toEqual([]);
      expect(errors).toEqual([]);
      expect(String(await studio.page.evaluate('navigator.language'))).toBe(
        language.replace(/'/g, ''),
      );
      await studio.close();
    },
  );
});
