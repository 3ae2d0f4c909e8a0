/** Before the tests of other browsers: the programs, installed if need be, and a fresh build. */
import type { TestProject } from 'vitest/node';
import { findFirefox, findWebKit, type WebKitPrograms } from '../../scripts/browsers.ts';
import { openChroot } from '../../scripts/float16-chroot.ts';
import { serveFreshBuild } from '../e2e/built-page.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    firefoxPath: string;
    webKit: WebKitPrograms;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('firefoxPath', await findFirefox());
  project.provide('webKit', await findWebKit());
  await openChroot(['firefox-esr']);
  const server = await serveFreshBuild();
  project.provide('pageUrl', server.url);
  return () => server.close();
}
