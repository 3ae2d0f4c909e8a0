/** A fresh build of the page, served as `npm start` serves it. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { type PageServer, servePage } from '../../scripts/serve.ts';

export async function serveFreshBuild(): Promise<PageServer> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // Vitest sets it to `test`, which makes a build for development, without a service worker.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  await build({ root, mode: 'production', logLevel: 'warn' });
  process.env.NODE_ENV = NODE_ENV;
  return servePage();
}
