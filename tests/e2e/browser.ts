/** One headless Chromium per test file, and a page of ours in it. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';
import { HEADLESS_FLAGS } from '../../scripts/chromium.ts';
import type { Manifest } from '../../src/bundle/manifest.ts';
import type { BackendChoice } from '../../src/workers/engine/api.ts';
import { StudioPage } from './studio-page.ts';

export function launchBrowser(flags: readonly string[] = HEADLESS_FLAGS): Promise<Browser> {
  return chromium.launch({ executablePath: inject('chromiumPath'), args: [...flags] });
}

/** A software GPU on a busy machine takes a minute for what a GPU does at once. */
const PATIENCE_MS = 200_000;

export interface OpenOptions {
  readonly backend?: BackendChoice;
  /** Other than the one that all tests share. */
  readonly url?: string;
  /** With `allow` it works offline; requests that `prepare` intercepts may then pass it by. */
  readonly serviceWorkers?: 'allow' | 'block';
  /** Changes what the page reads of the embedded model; not with `serviceWorkers: 'allow'`. */
  readonly manifest?: (manifest: Manifest) => Manifest;
  /** Runs before the page loads, to intercept requests. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** A page in a context of its own, without anything remembered from other tests. */
export async function openStudio(
  browser: Browser,
  {
    backend = 'cpu',
    url = inject('pageUrl'),
    serviceWorkers = 'block',
    manifest,
    prepare,
  }: OpenOptions = {},
): Promise<StudioPage> {
  const context = await browser.newContext({ serviceWorkers });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  if (manifest) {
    await context.route('**/models/pocket/manifest.json', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: manifest((await response.json()) as Manifest) });
    });
  }
  await prepare?.(page);
  await page.goto(`${url}?backend=${backend}`);
  return new StudioPage(page);
}
