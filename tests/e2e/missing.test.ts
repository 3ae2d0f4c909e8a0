/** Browsers that lack something, or forbid it: private windows, plain http, small engines. */
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
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
const MARK = 'with-prelude';

/** Marks the addresses of workers, whose requests look like those of any script. */
const MARK_WORKERS = `
  const PlainWorker = Worker;
  globalThis.Worker = class extends PlainWorker {
    constructor(url, options) {
      const marked = new URL(url, document.baseURI);
      marked.searchParams.set('${MARK}', '');
      super(marked, options);
    }
  };
`;

/** Runs a script before every other one, in the page and in its workers. */
async function before(context: BrowserContext, script: string): Promise<void> {
  await context.addInitScript(MARK_WORKERS + script);
  await context.route(`**/${PRELUDE}`, (route) =>
    route.fulfill({ contentType: 'text/javascript', body: script }),
  );
  await context.route(`**/*.js?${MARK}=`, async (route) => {
    const response = await route.fetch();
    const body = `import './${PRELUDE}';\n${await response.text()}`;
    await route.fulfill({ response, body });
  });
}

async function openWith(
  script: string,
  watch: (page: Page) => unknown = () => undefined,
): Promise<{ studio: StudioPage; errors: readonly string[] }> {
  const errors: string[] = [];
  const studio = await openStudio(browser, {
    manifest: withSmallSize,
    prepare: async (page) => {
      page.on('pageerror', (error) => errors.push(error.message));
      watch(page);
      await before(page.context(), script);
    },
  });
  return { studio, errors };
}

async function makePicture(studio: StudioPage, steps = 3) {
  await studio.ready();
  await studio.start(PROMPT, steps);
  return studio.finished();
}

const missing = (holder: string, name: string) =>
  `for (let at = ${holder}; at; at = Object.getPrototypeOf(at)) delete at['${name}'];`;
const throwing = (holder: string, name: string) =>
  `Object.defineProperty(${holder}, '${name}', { configurable: true, get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } });`;
const holding = (holder: string, name: string, value: string) =>
  `Object.defineProperty(${holder}, '${name}', { configurable: true, value: ${value} });`;

/** What the page can do without, in its window and in its workers. */
const OPTIONAL = ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'Notification'];
const OF_NAVIGATOR = ['storage', 'locks', 'serviceWorker', 'gpu'];

const all = (names: readonly string[], script: (name: string) => string): string =>
  names.map(script).join('\n');

describe('a browser without storage, locks, service workers, notifications and WebGPU', () => {
  it.each([
    {
      how: 'where they are missing',
      script:
        all(OPTIONAL, (name) => missing('globalThis', name)) +
        all(OF_NAVIGATOR, (name) => missing('navigator', name)),
    },
    {
      how: 'where touching them throws',
      script:
        all(OPTIONAL, (name) => throwing('globalThis', name)) +
        all(['serviceWorker'], (name) => throwing('navigator', name)) +
        all(['storage', 'locks', 'gpu'], (name) => missing('navigator', name)),
    },
    {
      how: 'where they are undefined or null',
      script:
        all(OPTIONAL, (name) => holding('globalThis', name, 'null')) +
        all(OF_NAVIGATOR, (name) => holding('navigator', name, 'undefined')),
    },
  ])('makes pictures, $how', async ({ script }) => {
    const { studio, errors } = await openWith(script);
    const usable = (name: string) =>
      `(() => { try { return ${name} != null } catch { return false } })()`;
    for (const name of [...OPTIONAL, ...OF_NAVIGATOR.map((one) => `navigator.${one}`)]) {
      expect(await studio.page.evaluate(usable(name)), name).toBe(false);
    }
    await expectPictureUnkept(studio);
    await expectNoModelsKept(studio, (dialog) => dialog.getByText('keeps no files for this page'));
    expect(errors).toEqual([]);
    await studio.close();
  });
});

describe('a browser whose indexedDB', () => {
  it.each([
    {
      how: 'throws when it is opened',
      script: `IDBFactory.prototype.open = () => { throw new DOMException('No mutations.', 'InvalidStateError'); };`,
    },
    {
      how: 'refuses to open',
      script: `IDBFactory.prototype.open = () => { const request = { error: new DOMException('No.', 'UnknownError') }; setTimeout(() => request.onerror()); return request; };`,
    },
  ])('$how: pictures are made, and nothing is kept', async ({ script }) => {
    const { studio, errors } = await openWith(script);
    await expectPictureUnkept(studio);
    await expectNoModelsKept(studio, (dialog) => dialog.getByRole('alert').locator('.notice'));
    expect(errors).toEqual([]);
    await studio.close();
  });

  it('never answers: the page does not wait for ever', async () => {
    const { studio, errors } = await openWith(`IDBFactory.prototype.open = () => ({});`);
    await expectPictureUnkept(studio);
    expect(errors).toEqual([]);
    await studio.close();
  });
});

it('says nothing of storage where there is one', async () => {
  const { studio } = await openWith('');
  await studio.ready();
  expect(await notKept(studio).count()).toBe(0);
  await studio.close();
});

const notKept = ({ page }: StudioPage) => page.getByText('Settings are not kept');

/** A picture is made, and the page says once that nothing is kept: no failure. */
async function expectPictureUnkept(studio: StudioPage): Promise<void> {
  expect((await makePicture(studio)).stats.steps).toBe(3);
  await notKept(studio).waitFor();
  expect(await notKept(studio).count()).toBe(1);
  expect(await studio.alert.count()).toBe(0);
}

/** Who opens the models hears why there are no others; the one that comes with the page is there. */
async function expectNoModelsKept(
  { page }: StudioPage,
  explanation: (dialog: Locator) => Locator,
): Promise<void> {
  await page.getByRole('button', { name: /^Models/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Models' });
  await explanation(dialog).waitFor();
  expect(await dialog.getByText('Looking for stored models').count()).toBe(0);
  expect(await dialog.getByText('comes with the page').first().isVisible()).toBe(true);
}

it('counts the threads that there are: one without SharedArrayBuffer', async () => {
  const { studio } = await openWith(missing('globalThis', 'SharedArrayBuffer'));
  await studio.ready();
  expect(await studio.page.evaluate('crossOriginIsolated')).toBe(true);
  await studio.page.locator('.engine summary').click();
  expect(await studio.page.locator('.engine .card').innerText()).toContain('1 thread,');
  const { stats } = await makePicture(studio);
  expect(stats.adapter).toMatch(/, 1 thread$/);
  await studio.close();
});

describe('a browser whose language is', () => {
  // WebKitGTK says "C" in the C locale, and others what the system calls it.
  it.each(["'C'", "'en_US.UTF-8'", 'undefined'])('%s: the lab draws', async (language) => {
    const scripts: string[] = [];
    const { studio, errors } = await openWith(
      `Object.defineProperty(Object.getPrototypeOf(navigator), 'language', { configurable: true, get: () => ${language} });`,
      (page) =>
        page.on('request', (request) => {
          if (request.resourceType() === 'script') scripts.push(request.url());
        }),
    );
    await makePicture(studio, 8);
    const early = new Set(scripts);
    await studio.button('Open the lab').click();
    await studio.chart('Verified relative error').locator('canvas').waitFor();
    await studio.chart('Histogram').locator('canvas').waitFor();
    // What draws charts is not loaded before it is needed.
    expect(scripts.filter((url) => !early.has(url))).not.toEqual([]);
    expect(errors).toEqual([]);
    expect(await studio.page.evaluate(`navigator.language === ${language}`)).toBe(true);
    await studio.close();
  });
});

it('says when the charts cannot be loaded, and loads them when asked again', async () => {
  const { studio } = await openWith('');
  const charts = '**/assets/LabCharts-*.js';
  await makePicture(studio, 8);
  await studio.page.context().route(charts, (route) => route.abort());
  await studio.button('Open the lab').click();
  await studio.page.getByText('The charts could not be loaded').waitFor();
  await studio.page.context().unroute(charts);
  await studio.button('Try again').click();
  await studio.chart('Histogram').locator('canvas').waitFor();
  await studio.close();
});
