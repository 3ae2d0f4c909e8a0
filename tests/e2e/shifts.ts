/** Layout shifts, as the browser measures them. */
import type { Page } from 'playwright-core';

interface Shift {
  readonly value: number;
  /** Whether it came within half a second of an input, and so may be an answer to it. */
  readonly answers: boolean;
  /** What moved most, for a message that helps. */
  readonly moved: string;
}

declare global {
  interface Window {
    shifts?: Shift[];
  }
}

/** From the first paint on. Call it before the page loads. */
export async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    interface Entry extends PerformanceEntry {
      readonly value: number;
      readonly hadRecentInput: boolean;
      readonly sources: readonly { readonly node: Node | null }[];
    }
    const shifts: Shift[] = [];
    window.shifts = shifts;
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries() as Entry[]) {
        const moved = sources.map(({ node }) => {
          const element = node instanceof Element ? node : node?.parentElement;
          return element ? `${element.tagName}.${element.getAttribute('class') ?? ''}` : 'gone';
        });
        shifts.push({ value, answers: hadRecentInput, moved: moved.join(', ') });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

/** Those since the last call. */
export async function takeShifts(page: Page): Promise<Shift[]> {
  // An observer is called after the frame that it tells of.
  await page.evaluate(
    () =>
      new Promise((resolve) =>
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))),
      ),
  );
  return page.evaluate(() => window.shifts?.splice(0) ?? []);
}

export const sumOf = (shifts: readonly Shift[]): number =>
  shifts.reduce((sum, { value }) => sum + value, 0);
