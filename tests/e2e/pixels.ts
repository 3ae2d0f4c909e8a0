/** What is painted, whatever styles painted it: colours of pixels and their contrast. */
import { decode } from 'fast-png';
import type { Locator, Page } from 'playwright-core';

export type Rgb = readonly [red: number, green: number, blue: number];

/**
 * The colour painted at a point of an element.
 * @param across share of its width from the left; `down` of its height from the top
 */
export async function colorAt(element: Locator, across: number, down: number): Promise<Rgb> {
  await element.scrollIntoViewIfNeeded();
  const box = await element.boundingBox();
  if (!box) throw new Error('The element is not painted.');
  return pixel(element.page(), box.x + across * box.width, box.y + down * box.height);
}

async function pixel(page: Page, x: number, y: number): Promise<Rgb> {
  const clip = { x: Math.floor(x), y: Math.floor(y), width: 1, height: 1 };
  const { data, channels } = decode(await page.screenshot({ clip }));
  if (channels < 3) throw new Error(`A screenshot of ${channels} channels has no colour.`);
  return [data[0]!, data[1]!, data[2]!];
}

/** WCAG 2's contrast ratio, from 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** WCAG 2's relative luminance of an sRGB colour. */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
