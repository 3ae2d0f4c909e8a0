/** Headless Firefox under WebDriver BiDi, which Playwright speaks to Firefox as it is released. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, firefox } from 'playwright-core';
import { inject } from 'vitest';
import type { BackendChoice } from '../../src/workers/engine/api.ts';
import { StudioPage } from '../e2e/studio-page.ts';
import { takeDownload } from './downloads.ts';

const IN_CHROOT = fileURLToPath(new URL('firefox-in-chroot.sh', import.meta.url));

/** Firefox on Linux has WebGPU switched off, and takes no GPU in software by itself. */
const WEBGPU = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'gfx.webgpu.force-enabled': true,
};

/** Compiling ONNX Runtime's shaders takes lavapipe minutes when it has none in its cache. */
const PATIENCE_MS = { cpu: 200_000, webgpu: 500_000 };

export interface Firefox {
  open(url: string, backend: BackendChoice): Promise<StudioPage>;
  close(): Promise<void>;
}

/** @param gpu `lavapipe` for the Firefox of the float16 chroot, with WebGPU */
export async function launchFirefox(gpu: 'none' | 'lavapipe'): Promise<Firefox> {
  const downloads = await mkdtemp(join(tmpdir(), 'hicache-firefox-'));
  const browser: Browser = await firefox.launch({
    channel: 'moz-firefox',
    executablePath: gpu === 'none' ? inject('firefoxPath') : IN_CHROOT,
    downloadsPath: downloads,
    ...(gpu === 'lavapipe' && { firefoxUserPrefs: WEBGPU }),
  });
  return {
    open: async (url, backend) => {
      const context = await browser.newContext();
      context.setDefaultTimeout(PATIENCE_MS[backend === 'webgpu' ? 'webgpu' : 'cpu']);
      const page = await context.newPage();
      await page.goto(`${url}?backend=${backend}`);
      // Firefox names no navigation for downloads of blobs, and Playwright then overlooks them.
      return new StudioPage(page, (click) => takeDownload(downloads, click));
    },
    close: async () => {
      await browser.close();
      await rm(downloads, { recursive: true, force: true });
    },
  };
}
