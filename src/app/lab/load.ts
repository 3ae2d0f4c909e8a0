/** Loads the lab's charts when they are first looked at. */
import { signal } from '@preact/signals';
import type { LabCharts } from './LabCharts.tsx';

export type Loaded =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly LabCharts: typeof LabCharts }
  | { readonly kind: 'failed' };

export const loaded = signal<Loaded>({ kind: 'loading' });

let asked = false;

/** Loads once; again after a failure, such as a connection that was lost. */
export async function loadCharts(): Promise<void> {
  if (asked) return;
  asked = true;
  loaded.value = { kind: 'loading' };
  try {
    const charts = await withKnownLanguage(() => import('./LabCharts.tsx'));
    loaded.value = { kind: 'ready', LabCharts: charts.LabCharts };
  } catch {
    asked = false;
    loaded.value = { kind: 'failed' };
  }
}

/**
 * uPlot makes a number format for `navigator.language` while it loads, and throws where the browser
 * gives a language that Intl refuses: WebKitGTK gives "C" in the C locale. There it sees English, which
 * the page is written in.
 */
async function withKnownLanguage<T>(load: () => Promise<T>): Promise<T> {
  if (isKnown(navigator.language)) return load();
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
  try {
    return await load();
  } finally {
    // The browser's own is on the prototype.
    Reflect.deleteProperty(navigator, 'language');
  }
}

function isKnown(language: string | undefined): boolean {
  try {
    new Intl.NumberFormat(language);
    return true;
  } catch {
    return false;
  }
}
