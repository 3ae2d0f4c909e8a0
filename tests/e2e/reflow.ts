/** Finds what a narrow window or large text pushes out of sight. */
import type { Page } from 'playwright-core';

/**
 * What sticks out of the page or the dialog sideways, and text that its control cuts off. A strip
 * that scrolls by itself may hold more than it shows, but may not stick out.
 */
export function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const name = (element: Element) => {
      const text = (element.textContent ?? '').trim().slice(0, 24);
      return `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''} “${text}”`;
    };
    const scrolls = (element: Element) =>
      ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
    const inStrip = (element: Element): boolean => {
      for (let at = element.parentElement; at; at = at.parentElement) {
        if (at.matches('.body, dialog')) return false;
        if (scrolls(at) || getComputedStyle(at).overflowX === 'hidden') return true;
      }
      return false;
    };
    const isHidden = (element: Element) =>
      element.closest('.visually-hidden') !== null ||
      (element instanceof HTMLElement && !element.checkVisibility());
    const found: string[] = [];
    const width = document.documentElement.clientWidth;
    const scroller = document.scrollingElement!;
    if (scroller.scrollWidth > scroller.clientWidth) {
      found.push(`the page is ${scroller.scrollWidth} wide, the window ${scroller.clientWidth}`);
    }
    for (const body of document.querySelectorAll('dialog[open] .body')) {
      if (body.scrollWidth > body.clientWidth) found.push(`the dialog is ${body.scrollWidth} wide`);
    }
    for (const element of document.querySelectorAll('body *')) {
      if (isHidden(element)) continue;
      const { left, right } = element.getBoundingClientRect();
      if ((right > width + 1 || left < -1) && !inStrip(element)) {
        found.push(`${name(element)} from ${Math.round(left)} to ${Math.round(right)}`);
      }
      const isControl = element.matches('button, summary, .segments span, h1, h2, h3, label');
      if (isControl && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1) {
        found.push(`${name(element)} cuts off its text`);
      }
    }
    return [...new Set(found)];
  });
}

/** As if the browser's own font size were set to so many pixels. */
export async function setBrowserFontSize(page: Page, pixels: number): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Page.setFontSizes', { fontSizes: { standard: pixels } });
  await devtools.detach();
}
