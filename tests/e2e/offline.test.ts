import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { HEADLESS_FLAGS } from '../../scripts/chromium.ts';
import { servePage } from '../../scripts/serve.ts';
import { launchBrowser, openStudio } from './browser.ts';
import { startPlainHost } from './plain-host.ts';
import { type FinishedPicture, StudioPage } from './studio-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

async function picture(studio: StudioPage): Promise<FinishedPicture> {
  await studio.ready();
  await studio.number('Steps').fill('4');
  await studio.fixSeed(7);
  await studio.prompt.fill('a big fox on a blue background');
  await studio.generate.click();
  return studio.finished();
}

const isIsolated = (page: Page): Promise<boolean> => page.evaluate(() => crossOriginIsolated);

describe('without a connection', () => {
  it('makes the same picture, in an isolated page', async () => {
    const server = await servePage();
    const studio = await openStudio(browser, { url: server.url, serviceWorkers: 'allow' });
    await studio.ready();
    await studio.keptOffline();
    const online = await picture(studio);

    await studio.page.context().setOffline(true);
    await server.close();
    await studio.page.reload();
    expect(await isIsolated(studio.page)).toBe(true);
    const offline = await picture(studio);
    expect(offline.stats.seed).toBe(online.stats.seed);
    expect(offline.pixels).toEqual(online.pixels);
    await studio.close();
  });

  it('starts on WebGPU after a visit on WebGPU', async () => {
    const server = await servePage();
    const studio = await openStudio(browser, {
      url: server.url,
      backend: 'webgpu',
      serviceWorkers: 'allow',
    });
    await studio.ready();
    await studio.keptOffline();
    await studio.page.context().setOffline(true);
    await server.close();
    await studio.page.reload();
    expect(await studio.ready()).toBe('webgpu');
    await studio.close();
  });
});

describe('on a host that sends no headers for isolation', () => {
  it('is isolated from the second visit on, and works offline', async () => {
    const host = await startPlainHost();
    const studio = await openStudio(browser, { url: host.url, serviceWorkers: 'allow' });
    await studio.ready();
    expect(await isIsolated(studio.page)).toBe(false);
    await studio.keptOffline();

    expect(await studio.alert.innerText()).toContain('faster after a reload');
    await studio.button('Reload').click();
    await studio.alert.waitFor({ state: 'detached' });
    await studio.ready();
    expect(await isIsolated(studio.page)).toBe(true);

    await host.close();
    await studio.page.reload();
    expect(await isIsolated(studio.page)).toBe(true);
    expect((await picture(studio)).stats.steps).toBe(4);
    await studio.close();
  });

  it('sends every file once, and one build of ONNX Runtime', async () => {
    const host = await startPlainHost();
    const profile = await mkdtemp(join(tmpdir(), 'hicache-profile-'));
    // Private windows, as other tests use, remember no large files.
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: inject('chromiumPath'),
      args: [...HEADLESS_FLAGS],
    });
    const studio = new StudioPage(await context.newPage());
    await studio.page.goto(`${host.url}?backend=cpu`);
    await studio.ready();
    await studio.keptOffline();
    await studio.page.reload();
    await studio.ready();
    // Another address than that without the question mark.
    const sent = host.sent.filter((path) => path !== 'index.html').sort();
    expect(sent).toEqual([...new Set(sent)]);
    expect(sent.filter((path) => path.endsWith('.wasm'))).toEqual([
      expect.stringMatching(/^assets\/ort-wasm-simd-threaded-[\w-]{8}\.wasm$/),
    ]);
    await studio.close();
    await rm(profile, { recursive: true, force: true });
    await host.close();
  });
});

it('a new version waits until it is asked for', async () => {
  const host = await startPlainHost();
  const studio = await openStudio(browser, { url: host.url, serviceWorkers: 'allow' });
  await studio.ready();
  await studio.keptOffline();
  const title = await studio.page.title();
  // As if an earlier visit had used WebGPU, with another build.
  await studio.page.evaluate(async () => {
    const [name] = (await caches.keys()).filter((key) => key.startsWith('hicache-runtimes-'));
    const old = 'assets/ort-wasm-simd-threaded.jspi-12345678.wasm';
    await (await caches.open(name!)).put(old, new Response());
  });

  host.publish('The next version');
  await studio.page.reload();
  await studio.alert.waitFor();
  expect(await studio.alert.innerText()).toContain('A new version is ready.');
  expect(await studio.page.title()).toBe(title);

  await studio.button('Reload').click();
  await expect.poll(() => studio.page.title(), { timeout: 60_000 }).toBe('The next version');
  await studio.ready();
  expect(await studio.alert.count()).toBe(0);
  const runtimes = await studio.page.evaluate(async () => {
    const [name] = (await caches.keys()).filter((key) => key.startsWith('hicache-runtimes-'));
    return (await (await caches.open(name!)).keys()).map(({ url }) => url);
  });
  const builds = runtimes.map((url) => url.replace(/.*threaded(.*)-.{8}\.wasm$/, '$1')).sort();
  expect(builds).toEqual(['', '.jspi']);
  expect(runtimes.join()).not.toContain('12345678');
  await studio.close();
  await host.close();
});

describe('the page as an app', () => {
  it('can be installed, as Chromium sees it', async () => {
    const studio = await openStudio(browser);
    const devtools = await studio.page.context().newCDPSession(studio.page);
    const { errors } = await devtools.send('Page.getAppManifest');
    expect(errors).toEqual([]);
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    // Every page of these tests is in a private window.
    expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(['in-incognito']);
    await studio.close();
  });

  it('has a name, and icons of the sizes that it says', async () => {
    const answer = await fetch(new URL('manifest.webmanifest', inject('pageUrl')));
    const manifest = (await answer.json()) as {
      icons: { src: string; sizes: string; type: string; purpose?: string }[];
    };
    expect(manifest).toMatchObject({
      name: 'HiCache Studio',
      display: 'standalone',
      start_url: './',
      scope: './',
    });
    const drawn = manifest.icons.filter(({ type }) => type === 'image/png');
    for (const { src, sizes } of drawn) {
      const png = await fetch(new URL(src, answer.url));
      const { width, height } = decode(new Uint8Array(await png.arrayBuffer()));
      expect(`${width}x${height}`).toBe(sizes);
    }
    expect(drawn.map(({ sizes, purpose }) => [sizes, purpose ?? 'any'])).toEqual([
      ['192x192', 'any'],
      ['512x512', 'any'],
      ['512x512', 'maskable'],
    ]);
  });

  it('is asked after at every visit, but for files whose name has a hash', async () => {
    const page = await fetch(inject('pageUrl'));
    const asset = /assets\/[^"]+\.js/.exec(await page.text())![0];
    const cacheControl = async (path: string) =>
      (await fetch(new URL(path, page.url))).headers.get('cache-control');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(await cacheControl('service-worker.js')).toBe('no-cache');
    expect(await cacheControl(asset)).toBe('max-age=31536000, immutable');
  });
});
