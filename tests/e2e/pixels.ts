/** What is painted, whatever styles painted it: colours of pixels and their contrast. */
import { decode } from 'fast-png';
import type { Locator, Page } from 'playwright-core';

export type Rgb = readonly [red: number, green: number, blue: number];

/**
 * The colour painted at a point of an element.
 * @param across share of its width from the left; `down` of its height from the top
 */
export async function colorAt(element: Locator, across: number, down: number): Promise<Rgb> {
  const at = await element.evaluate(
    (target, [shareX, shareY]) => {
      const point = () => {
        const { left, top, width, height } = target.getBoundingClientRect();
        return { x: left + shareX * width, y: top + shareY * height };
      };
      // Twice, since what is sticky does not go all the way.
      for (let i = 0; i < 2; i++)
        scrollBy({ top: point().y - innerHeight / 2, behavior: 'instant' });
      const { x, y } = point();
      return y >= 0 && y < innerHeight && x >= 0 && x < innerWidth ? { x, y } : undefined;
    },
    [across, down] as const,
  );
  if (!at) throw new Error('The point cannot be scrolled into sight.');
  return pixel(element.page(), at.x, at.y);
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
