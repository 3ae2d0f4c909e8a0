/** What bench compares: ways to spend a budget of transformer calls. */
import { type CacheSettings, PUBLISHED } from '../../src/forecast/settings.ts';
import type { Control } from '../../src/sampling/generate.ts';
import type { Sampler } from '../../src/sampling/scheduler.ts';
import { intervalFor, spectrumComputeSteps, spectrumGrowth } from './schedules.ts';

/** `reference` is the full run, `plain` other samplers, `rival` published, `ours` this project's. */
export type Group = 'reference' | 'plain' | 'rival' | 'ours';

export interface Method {
  /** Unique in a bench, fit for a folder's name. */
  readonly id: string;
  /** The same method at other budgets has the same family and label. */
  readonly family: string;
  readonly label: string;
  readonly group: Group;
  /** Compute steps that it was set up for; null for the full run and for tolerances. */
  readonly budget: number | null;
  /** What was chosen to land on the budget, in words. */
  readonly note?: string;
  /** One of several sigmas of the same method, of which tables show the best in hindsight. */
  readonly sweep?: true;
  readonly steps: number;
  readonly sampler: Sampler;
  readonly cache: CacheSettings;
  /** If given, exactly these steps are computed, whatever `cache` says. */
  readonly computeSteps?: readonly number[];
}

type Family = Pick<Method, 'family' | 'label' | 'group' | 'sweep'>;

const SIGMAS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1] as const;
const TOLERANCES = [0.005, 0.01, 0.02, 0.04] as const;

const NONE: CacheSettings = { ...PUBLISHED, basis: 'none' };

/** Straight lines in flow time between and beyond true features, where the plan says. */
const OURS: CacheSettings = {
  ...PUBLISHED,
  basis: 'newton',
  order: 1,
  differences: 'divided',
  abscissa: 'flow',
  schedule: 'budget',
  correct: true,
};

/** Those of `--quick`. */
export const QUICK_FAMILIES: readonly string[] = ['full', 'euler', 'reuse', 'hermite', 'budget'];

/** The run that every other one is compared with. */
export function fullRun(steps: number): Method {
  return {
    id: 'full',
    family: 'full',
    label: 'every step computed',
    group: 'reference',
    budget: null,
    steps,
    sampler: 'euler',
    cache: NONE,
  };
}

/** All methods: the full run first, those of each budget, then those with a tolerance. */
export function methodsFor(steps: number, budgets: readonly number[]): Method[] {
  return [
    fullRun(steps),
    ...budgets.flatMap((budget) => [
      ...plainMethods(budget),
      ...intervalMethods(steps, budget),
      spectrum(steps, budget),
      ...plannedMethods(steps, budget),
    ]),
    ...toleranceMethods(steps),
  ];
}

/** What steers a run of the method. */
export function controlOf({
  cache,
  computeSteps,
}: Method): Pick<Control, 'settings' | 'computeSteps'> {
  return { settings: () => cache, computeSteps };
}

function plainMethods(budget: number): Method[] {
  const fewer = (sampler: Sampler, family: Family): Method => ({
    ...atBudget(family, budget, budget, NONE),
    sampler,
  });
  return [
    fewer('euler', { family: 'euler', label: 'fewer steps, Euler', group: 'plain' }),
    fewer('adams', { family: 'adams', label: 'fewer steps, second order', group: 'plain' }),
  ];
}

/** Every n-th step is computed, after the first ones. */
function intervalMethods(steps: number, budget: number): Method[] {
  const interval = intervalFor(steps, budget);
  const note = `interval ${interval.interval}, first ${interval.firstEnhance}`;
  const on = (family: Family, settings: Partial<CacheSettings>): Method => ({
    ...atBudget(family, budget, steps, { ...PUBLISHED, ...interval, ...settings }),
    note,
  });
  const rival = (family: string, label: string, settings: Partial<CacheSettings>): Method =>
    on({ family, label, group: 'rival' }, settings);
  const ours = (family: string, label: string, settings: Partial<CacheSettings>): Method =>
    on({ family, label, group: 'ours' }, { abscissa: 'flow', differences: 'divided', ...settings });
  return [
    rival('reuse', 'reuse', { basis: 'reuse' }),
    rival('taylor-1', 'TaylorSeer, order 1', { basis: 'taylor', order: 1 }),
    rival('taylor-2', 'TaylorSeer, order 2', { basis: 'taylor', order: 2 }),
    ...SIGMAS.map((sigma): Method =>
      sigma === PUBLISHED.sigma
        ? { ...rival('hermite', 'HiCache as published', {}), sweep: true }
        : { ...rival(`hermite-sigma-${sigma}`, `HiCache, sigma ${sigma}`, { sigma }), sweep: true },
    ),
    rival('dmd', 'dynamic modes (HiCache++)', { basis: 'dmd', differences: 'divided' }),
    rival('chebyshev-interval', 'Chebyshev, interval', {
      basis: 'chebyshev',
      differences: 'divided',
    }),
    ours('newton-1', 'line in flow time, interval', { basis: 'newton', order: 1 }),
    ours('newton-2', 'parabola in flow time, interval', { basis: 'newton', order: 2 }),
    ours('auto', 'automatic, interval', { basis: 'auto' }),
    ours('auto-correct', 'automatic, interval, corrected', { basis: 'auto', correct: true }),
  ];
}

function spectrum(steps: number, budget: number): Method {
  const growth = spectrumGrowth(steps, budget);
  const family: Family = { family: 'chebyshev', label: 'Spectrum', group: 'rival' };
  const cache: CacheSettings = { ...PUBLISHED, basis: 'chebyshev', differences: 'divided' };
  return {
    ...atBudget(family, budget, steps, cache),
    note: `window growth ${growth}`,
    computeSteps: spectrumComputeSteps(steps, growth),
  };
}

/** Where to compute is planned for the budget. */
function plannedMethods(steps: number, budget: number): Method[] {
  const ours = (family: string, label: string, settings: Partial<CacheSettings>): Method =>
    atBudget({ family, label, group: 'ours' }, budget, steps, { ...OURS, ...settings, budget });
  return [
    ours('budget-plain', 'ours by budget, not corrected', { correct: false }),
    ours('budget-hermite', 'ours with Hermite (1, 0.6)', { basis: 'hermite', sigma: 0.6 }),
    ours('budget-auto', 'ours, automatic basis', { basis: 'auto' }),
    ours('budget', 'ours by budget', {}),
  ];
}

function toleranceMethods(steps: number): Method[] {
  return TOLERANCES.map((tolerance): Method => ({
    id: `tolerance-${tolerance}`,
    family: 'tolerance',
    label: 'ours by tolerance',
    group: 'ours',
    budget: null,
    note: `tolerance ${tolerance}`,
    steps,
    sampler: 'euler',
    cache: { ...OURS, schedule: 'tolerance', tolerance },
  }));
}

function atBudget(family: Family, budget: number, steps: number, cache: CacheSettings): Method {
  return { ...family, id: `${family.family}-${budget}`, budget, steps, sampler: 'euler', cache };
}
