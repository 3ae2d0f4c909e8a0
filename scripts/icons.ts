/** `npm run icons`: the icons in PNG, for systems that take no SVG, from public/icons/icon.svg. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { findChromium, HEADLESS_FLAGS } from './chromium.ts';

const FOLDER = new URL('../public/icons/', import.meta.url);
/** The icon's own ground, which fills what a system cuts to its shape. */
const GROUND = '#4a44b8';

interface Icon {
  readonly name: string;
  readonly size: number;
  /** Whether the system cuts it: the drawing then keeps to the middle, four fifths of the width. */
  readonly cut: boolean;
}

const ICONS: readonly Icon[] = [
  { name: 'icon-192', size: 192, cut: false },
  { name: 'icon-512', size: 512, cut: false },
  { name: 'maskable-512', size: 512, cut: true },
  { name: 'touch-180', size: 180, cut: true },
];

async function draw(page: Page, svg: string, { name, size, cut }: Icon): Promise<void> {
  const drawn = cut ? 0.8 * size : size;
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<body style="margin:0;display:grid;place-items:center;height:100vh;
      background:${cut ? GROUND : 'transparent'}">
      <img width="${drawn}" src="data:image/svg+xml,${encodeURIComponent(svg)}"></body>`,
  );
  const path = fileURLToPath(new URL(`${name}.png`, FOLDER));
  await page.screenshot({ path, omitBackground: true });
  console.log(`Written: ${path}`);
}

const svg = await readFile(new URL('icon.svg', FOLDER), 'utf8');
const browser = await chromium.launch({
  executablePath: await findChromium(),
  args: [...HEADLESS_FLAGS],
});
try {
  const page = await browser.newPage();
  for (const icon of ICONS) await draw(page, svg, icon);
} finally {
  await browser.close();
}
