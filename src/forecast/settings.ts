/** The settings of a feature cache. They may change between any two steps of a run. */

/** How features are forecast. */
export const FORECAST_BASES = [
  'reuse',
  'taylor',
  'taylor-scaled',
  'hermite',
  'newton',
  'chebyshev',
  'dmd',
] as const;

/**
 * Those, `none`, which computes every step, and `auto`, which takes, forecast by forecast, what
 * verification has shown to err least.
 */
export const BASES = ['none', ...FORECAST_BASES, 'auto'] as const;
export type Basis = (typeof BASES)[number];

/** Those that use sigma, and those that use an order. */
export const BASES_WITH_SIGMA: readonly Basis[] = ['taylor-scaled', 'hermite'];
export const BASES_WITH_ORDER: readonly Basis[] = ['taylor', 'newton', ...BASES_WITH_SIGMA];

/**
 * How differences between anchors are taken. `paper`: HiCache's recursion, which divides by
 * the gap between the two newest anchors of its time. `divided`: true divided differences,
 * exact for polynomials whatever the spacing.
 */
export const DIFFERENCES = ['divided', 'paper'] as const;
export type Differences = (typeof DIFFERENCES)[number];

/** Along what features are forecast: step numbers, or the flow time that a shift makes uneven. */
export const ABSCISSAS = ['flow', 'step'] as const;
export type Abscissa = (typeof ABSCISSAS)[number];

/**
 * What decides which steps are computed. `interval`: every n-th, as published. `budget`: at most
 * so many, placed where the predicted error is least. `tolerance`: as few as keep the predicted
 * error under a tolerance.
 */
export const SCHEDULES = ['interval', 'budget', 'tolerance'] as const;
export type Schedule = (typeof SCHEDULES)[number];

/** One way to forecast. */
export interface Forecaster {
  readonly basis: Exclude<Basis, 'auto'>;
  /** Highest difference used, 0 to 4; the degree of `newton`. */
  readonly order: number;
  /** Scale of the Hermite and scaled-Taylor bases, 0.1 to 1. */
  readonly sigma: number;
  readonly differences: Differences;
  readonly abscissa: Abscissa;
}

export interface CacheSettings extends Omit<Forecaster, 'basis'> {
  readonly basis: Basis;
  readonly schedule: Schedule;
  /** For schedule `interval`: one step in so many is computed after the first ones, 1 to 12. */
  readonly interval: number;
  /** For schedule `interval`: so many first steps are always computed, 1 to 12. */
  readonly firstEnhance: number;
  /** For schedule `budget`: at most so many steps are computed, from 1. */
  readonly budget: number;
  /**
   * For schedule `tolerance`: the relative error of the final latents that the prediction may
   * reach; 0 computes every step, Infinity as few as possible.
   */
  readonly tolerance: number;
  /**
   * Whether a compute step corrects the forecasts before it: they are made again, between two
   * true features instead of beyond them, and the latents with them.
   */
  readonly correct: boolean;
}

export const LIMITS = {
  order: { min: 0, max: 4 },
  sigma: { min: 0.1, max: 1 },
  interval: { min: 1, max: 12 },
  firstEnhance: { min: 1, max: 12 },
  budget: { min: 1, max: 1000 },
} as const;

/** Most anchors that any basis reads; the forecast kernel binds as many. */
export const MAX_ANCHORS = 6;

/** HiCache's published setting for 50 steps (arXiv 2508.16984, section 4). */
export const PUBLISHED: CacheSettings = {
  basis: 'hermite',
  order: 2,
  sigma: 0.5,
  interval: 7,
  firstEnhance: 3,
  differences: 'paper',
  abscissa: 'step',
  schedule: 'interval',
  budget: 9,
  tolerance: 0.02,
  correct: false,
};

/** Whether both say the same in every respect. */
export function sameSettings(a: CacheSettings, b: CacheSettings): boolean {
  return (Object.keys(a) as (keyof CacheSettings)[]).every((name) => a[name] === b[name]);
}

const CHOICES: readonly ['basis' | 'differences' | 'abscissa' | 'schedule', readonly string[]][] = [
  ['basis', BASES],
  ['differences', DIFFERENCES],
  ['abscissa', ABSCISSAS],
  ['schedule', SCHEDULES],
];

/** What is wrong with the settings, in words for the person who set them; empty if nothing. */
export function settingsProblems(settings: CacheSettings): string[] {
  const problems: string[] = [];
  for (const [name, choices] of CHOICES) {
    if (choices.includes(settings[name])) continue;
    problems.push(`${name} must be one of ${choices.join(', ')}, not ${String(settings[name])}`);
  }
  for (const name of ['order', 'interval', 'firstEnhance', 'budget'] as const) {
    const { min, max } = LIMITS[name];
    const value = settings[name];
    if (!Number.isInteger(value) || value < min || value > max) {
      problems.push(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
    }
  }
  const { min, max } = LIMITS.sigma;
  if (!(settings.sigma >= min && settings.sigma <= max)) {
    problems.push(`sigma must be a number from ${min} to ${max}, not ${settings.sigma}`);
  }
  if (!(settings.tolerance >= 0)) {
    problems.push(`tolerance must be a number from 0, not ${settings.tolerance}`);
  }
  if (typeof settings.correct !== 'boolean') {
    problems.push(`correct must be true or false, not ${String(settings.correct)}`);
  }
  return problems;
}
