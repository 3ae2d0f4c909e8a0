/** Before all end-to-end tests: a fresh build, served as `npm start` serves it, and a Chromium. */
import type { TestProject } from 'vitest/node';
import { findChromium } from '../../scripts/chromium.ts';
import { serveFreshBuild } from './built-page.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    pageUrl: string;
    chromiumPath: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('chromiumPath', await findChromium());
  const server = await serveFreshBuild();
  project.provide('pageUrl', server.url);
  return () => server.close();
}
