/** Figures and settings in words. */
import type { Basis, CacheSettings } from '../cache/settings.ts';

export const BASIS_NAMES: Readonly<Record<Basis, string>> = {
  none: 'None',
  reuse: 'Reuse',
  taylor: 'Taylor',
  'taylor-scaled': 'Scaled Taylor',
  hermite: 'Hermite',
};

export const usesOrder = (basis: Basis) => basis !== 'none' && basis !== 'reuse';
export const usesSigma = (basis: Basis) => basis === 'taylor-scaled' || basis === 'hermite';

export function describeCache({ basis, order, sigma, interval }: CacheSettings): string {
  if (basis === 'none') return 'every step computed';
  const parts = [BASIS_NAMES[basis]];
  if (usesOrder(basis)) parts.push(`order ${order}`);
  if (usesSigma(basis)) parts.push(`σ ${sigma.toFixed(2)}`);
  parts.push(`interval ${interval}`);
  return parts.join(', ');
}

/** `0.042` → `42 ms`, `3.21` → `3.2 s`, `75` → `1 min 15 s`. */
export function duration(seconds: number): string {
  if (seconds < 0.0005) return 'under 1 ms';
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 0.9995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Time left, without a precision that an estimate does not have. */
export function roughDuration(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return `${Math.ceil(seconds / 60)} min`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `["dragon", "castle"]` → `dragon and castle`. */
export const wordList = (words: readonly string[]) =>
  new Intl.ListFormat('en', { type: 'conjunction' }).format(words);
