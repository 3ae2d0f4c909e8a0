/** Figures and settings in words. */
import {
  type Basis,
  BASES_WITH_ORDER,
  BASES_WITH_SIGMA,
  type CacheSettings,
} from '../../forecast/settings.ts';
import type { GenerateRequest, GenerateResult } from '../../workers/engine/api.ts';

export const BASIS_NAMES: Readonly<Record<Basis, string>> = {
  none: 'None',
  reuse: 'Reuse',
  taylor: 'Taylor',
  'taylor-scaled': 'Scaled Taylor',
  hermite: 'Hermite',
  newton: 'Newton',
  chebyshev: 'Chebyshev',
  dmd: 'DMD',
  auto: 'Automatic',
};

/** The same with where they come from, for choosing one. */
export const BASIS_OPTIONS: Readonly<Record<Basis, string>> = {
  auto: 'Automatic: least verified error',
  newton: 'Newton: exact polynomial',
  hermite: 'Hermite (HiCache)',
  taylor: 'Taylor (TaylorSeer)',
  'taylor-scaled': 'Scaled Taylor',
  chebyshev: 'Chebyshev (Spectrum)',
  dmd: 'Dynamic modes (HiCache++)',
  reuse: 'Reuse the newest (FORA)',
  none: 'None: compute every step',
};

export const SAMPLER_NAMES: Readonly<Record<GenerateRequest['sampler'], string>> = {
  euler: 'Euler',
  adams: 'Adams, 2nd order',
};

export const usesOrder = (basis: Basis) => BASES_WITH_ORDER.includes(basis);
export const usesSigma = (basis: Basis) => BASES_WITH_SIGMA.includes(basis);
/** Whether it is made of differences, which can be taken in two ways. */
export const usesDifferences = (basis: Basis) => usesOrder(basis) && basis !== 'newton';

/** Whether it depends on where the steps lie on an axis. */
export const usesAbscissa = (basis: Basis) =>
  basis !== 'none' && basis !== 'reuse' && basis !== 'auto';

/** Forecast steps whose error nobody knows: no step was computed after them. */
export function describeUnverified({
  steps,
  computeSteps,
  unverifiedSteps,
}: Pick<GenerateResult['stats'], 'steps' | 'computeSteps' | 'unverifiedSteps'>): string {
  const forecast = steps - computeSteps.length;
  const noun = unverifiedSteps.length === 1 ? 'step' : 'steps';
  return (
    `Not verified: forecast ${noun} ${ranges(unverifiedSteps)} (${unverifiedSteps.length} of ${forecast}), ` +
    'since no compute step shows their error.'
  );
}

/** Growing step indices as people count them: `3, 7–9`. */
function ranges(steps: readonly number[]): string {
  const begins = steps.filter((step, i) => step !== steps[i - 1]! + 1);
  const ends = steps.filter((step, i) => step !== steps[i + 1]! - 1);
  return begins
    .map((begin, i) => (begin === ends[i] ? `${begin + 1}` : `${begin + 1}–${ends[i]! + 1}`))
    .join(', ');
}

export function describeCache(settings: CacheSettings): string {
  const { basis, order, sigma, interval, budget, tolerance } = settings;
  if (basis === 'none') return 'every step computed';
  const parts = [BASIS_NAMES[basis]];
  if (usesOrder(basis)) parts.push(`order ${order}`);
  if (usesSigma(basis)) parts.push(`σ ${sigma.toFixed(2)}`);
  if (settings.schedule === 'interval') parts.push(`interval ${interval}`);
  if (settings.schedule === 'budget') parts.push(`budget ${budget}`);
  if (settings.schedule === 'tolerance') parts.push(`tolerance ${percent(tolerance)}`);
  if (settings.correct) parts.push('corrected');
  return parts.join(', ');
}

/** `0.0125` → `1.3 %`, `0.00042` → `0.042 %`, `3.2` → `320 %`. */
export function percent(part: number): string {
  const value = 100 * part;
  if (value > 0 && value < 0.001) return 'under 0.001 %';
  if (value > 0 && value < 0.95) return `${Number(value.toPrecision(2))} %`;
  return `${value.toFixed(value < 99.95 ? 1 : 0)} %`;
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

/** Both in the unit of the whole: `1.20 of 6.80 GB`. */
export function bytesOfBytes(done: number, total: number): string {
  const { unit, digits, name } = scaleFor(total);
  const figure = (bytes: number) => (bytes / unit).toFixed(digits);
  return `${figure(Math.min(done, total))} of ${figure(total)} ${name}`;
}

/** Steps of a tenth of a megabyte or of ten, so that a figure that grows is seen to grow. */
function scaleFor(bytes: number) {
  if (bytes < 999.95e6) return { unit: 1e6, digits: 1, name: 'MB' };
  return { unit: 1e9, digits: bytes < 99.995e9 ? 2 : 0, name: 'GB' };
}

/** `["dragon", "castle"]` → `dragon and castle`. */
export const wordList = (words: readonly string[]) =>
  new Intl.ListFormat('en', { type: 'conjunction' }).format(words);
