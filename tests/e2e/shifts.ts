/** Layout shifts, as the browser measures them. */
import type { Page } from 'playwright-core';

interface Shift {
  readonly value: number;
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
      readonly sources: readonly { readonly node: Node | null }[];
    }
    const shifts: Shift[] = [];
    window.shifts = shifts;
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as Entry[]) {
        const moved = sources.map(({ node }) => {
          const element = node instanceof Element ? node : node?.parentElement;
          return element ? `${element.tagName}.${element.getAttribute('class') ?? ''}` : 'gone';
        });
        shifts.push({ value, moved: moved.join(', ') });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

/**
 * Those since the last call. The browser leaves out of its own sum what follows an input within
 * half a second; that depends on how fast the machine is, so all of them count here.
 */
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
