/** The store in a real browser: its private file system, IndexedDB, locks and quota. */
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, beforeEach, afterEach, expect, inject, test } from 'vitest';
import type { ErrorReport } from '../../src/shared/errors.ts';
import { launchBrowser } from './browser.ts';
import type { Calls } from './store-worker.ts';

let browser: Browser;
let script: string;
let page: Page;
beforeAll(async () => {
  browser = await launchBrowser();
  script = await workerScript();
});
afterAll(() => browser.close());
beforeEach(async () => {
  page = await (await browser.newContext()).newPage();
  // Any file of the site: the page itself would load a model.
  await page.goto(`${pocket()}manifest.json`);
});
afterEach(() => page.context().close());

/** The worker in one piece of code. */
async function workerScript(): Promise<string> {
  const entry = fileURLToPath(new URL('store-worker.ts', import.meta.url));
  const built = (await build({
    configFile: false,
    logLevel: 'warn',
    build: { write: false, minify: false, target: 'esnext', lib: { entry, formats: ['es'] } },
  })) as Rolldown.RolldownOutput[];
  return built[0]!.output[0].code;
}

type Answer = { value: unknown } | { error: ErrorReport } | { stoppedAt: string };

/** Calls a worker of this name in a tab, which is started if need be. */
function ask(name: string, call: keyof Calls, ...args: unknown[]): Promise<Answer> {
  return page.evaluate(
    ([script, name, ...message]) => {
      const workers = ((window as { workers?: Record<string, Worker> }).workers ??= {});
      const code = new Blob([script as string], { type: 'text/javascript' });
      const worker = (workers[name as string] ??= new Worker(URL.createObjectURL(code), {
        type: 'module',
      }));
      return new Promise<Answer>((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(message);
      });
    },
    [script, name, call, ...args],
  );
}

async function value<Name extends keyof Calls>(
  name: string,
  call: Name,
  ...args: Parameters<Calls[Name]>
): Promise<Awaited<ReturnType<Calls[Name]>>> {
  const answer = await ask(name, call, ...args);
  if ('value' in answer) return answer.value as Awaited<ReturnType<Calls[Name]>>;
  throw new Error(JSON.stringify(answer));
}

async function error(name: string, call: keyof Calls, ...args: unknown[]): Promise<ErrorReport> {
  const answer = await ask(name, call, ...args);
  if ('error' in answer) return answer.error;
  throw new Error(`It did not fail: ${JSON.stringify(answer)}`);
}

const pocket = (): string => new URL('models/pocket/', inject('pageUrl')).href;

test('folders keep what every folder promises', async () => {
  expect(await value('a', 'folderChecks')).toEqual({});
});

test('a model is downloaded, listed, verified, opened and removed', async () => {
  const { id } = await value('a', 'download', pocket());
  expect(await value('b', 'list')).toMatchObject([{ id, title: 'Pocket', state: 'complete' }]);
  expect(await value('b', 'verify', id)).toEqual([]);
  for (const [path, kind, size, read] of await value('b', 'files', id)) {
    expect([path, kind, read]).toEqual([path, 'File', size]);
  }
  await value('b', 'remove', id);
  expect(await value('a', 'list')).toEqual([]);
  expect(await error('a', 'files', id)).toMatchObject({ code: 'not-found' });
});

test('a reload in the middle of a download costs no file that was there', async () => {
  expect(await ask('a', 'download', pocket(), 'trunk.data')).toEqual({ stoppedAt: 'trunk.data' });
  await page.reload();
  expect(await value('a', 'list')).toMatchObject([{ title: 'pocket', state: 'partial' }]);
  const { id, asked } = await value('a', 'download', pocket());
  expect(asked).toContain('trunk.data');
  const { asked: all } = await value('b', 'download', pocket());
  expect(all).toEqual(['manifest.json']);
  const files = await value('b', 'files', id);
  expect(asked.length).toBeLessThan(files.length);
  expect(await value('b', 'verify', id)).toEqual([]);
});

test('one tab at a time writes a model', async () => {
  const id = await value('a', 'hold', 'x');
  expect(await error('b', 'hold', 'x')).toMatchObject({ code: 'busy' });
  expect(await error('b', 'remove', id)).toMatchObject({ code: 'busy' });
  await value('a', 'letGo');
  await value('b', 'hold', 'x');
});

test('a tab that is gone lets go of its model', async () => {
  const id = await value('a', 'hold', 'x');
  await page.reload();
  await value('a', 'hold', 'x');
  await value('a', 'letGo');
  await value('a', 'remove', id);
  expect(await value('a', 'list')).toEqual([]);
});

test('a full storage is known by trying, and what was written stays', async () => {
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(inject('pageUrl'));
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 20 * 2 ** 20 });
  await value('a', 'hold', 'x');
  const { code, message } = await error('a', 'fill');
  expect(code).toBe('out-of-storage');
  // The browser's estimate still says that 10 GiB are free.
  expect(message).toBe('There is no room for 1.0 MB more of large.data.');
  const bytes = await value('a', 'heldBytes');
  expect(bytes % 2 ** 20).toBe(0);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(20 * 2 ** 20);
  const refused = await error('a', 'reserve', 7e9);
  expect(refused.message).toMatch(
    /^There is no room for 7\.00 GB more of the model: \d+ kB are free/,
  );
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await value('a', 'reserve', 50e6);
  expect(await value('a', 'usage')).toBeGreaterThan(50e6);
  // With the byte that `hold` has written.
  expect(await value('b', 'list')).toMatchObject([{ bytes: bytes + 1 }]);
  await value('a', 'letGo');
  expect(await value('a', 'usage')).toBeLessThan(50e6);
});
