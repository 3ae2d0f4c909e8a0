/** Before all browser tests: a fresh build, served as `npm start` serves it, and a Chromium. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
import { findChromium } from '../../tools/chromium.ts';
import { servePage } from '../../tools/serve.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    pageUrl: string;
    chromiumPath: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('chromiumPath', await findChromium());
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // Vitest sets it to `test`, which makes a build for development, without a service worker.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  await build({ root, mode: 'production', logLevel: 'warn' });
  process.env.NODE_ENV = NODE_ENV;
  const server = await servePage();
  project.provide('pageUrl', server.url);
  return () => server.close();
}
