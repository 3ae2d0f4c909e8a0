/** `npm run screenshot`: docs/page.png, the built page with a finished picture, for the README. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { findChromium, HEADLESS_FLAGS } from './chromium.ts';
import { servePage } from './serve.ts';

const OUT = new URL('../docs/page.png', import.meta.url);
const MAKING_MS = 300_000;

const server = await servePage();
const browser = await chromium.launch({
  executablePath: await findChromium(),
  args: [...HEADLESS_FLAGS],
});
try {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 1000 },
    deviceScaleFactor: 1.5,
    colorScheme: 'light',
  });
  await page.goto(`${server.url}?backend=cpu`);
  await page.locator('.examples button').first().click({ timeout: MAKING_MS });
  await page.getByRole('button', { name: 'Generate' }).click();
  await page.locator('.summary').waitFor({ timeout: MAKING_MS });
  await page.evaluate(() => scrollTo(0, 0));
  await mkdir(new URL('.', OUT), { recursive: true });
  await page.screenshot({ path: fileURLToPath(OUT) });
  console.log(`Written: ${fileURLToPath(OUT)}`);
} finally {
  await browser.close();
  await server.close();
}
