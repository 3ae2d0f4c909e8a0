/** The feature cache's settings as options of a command line. */
import {
  ABSCISSAS,
  BASES,
  type CacheSettings,
  DIFFERENCES,
  PUBLISHED,
  SCHEDULES,
} from '../../src/forecast/settings.ts';
import { type Arguments, choiceOption, numberOption } from './args.ts';

export const CACHE_OPTIONS = [
  'basis',
  'order',
  'sigma',
  'interval',
  'first-enhance',
  'differences',
  'abscissa',
  'schedule',
  'budget',
  'tolerance',
] as const;

/** Those that stand alone, without a value. */
export const CACHE_FLAGS = ['correct'] as const;

export const CACHE_HELP = `  --basis NAME          ${BASES.join(', ')} (${PUBLISHED.basis})
  --order N             highest difference that is used (${PUBLISHED.order})
  --sigma X             scale of the Hermite and scaled Taylor bases (${PUBLISHED.sigma})
  --interval N          one step in N runs the transformer (${PUBLISHED.interval})
  --first-enhance N     so many first steps always do (${PUBLISHED.firstEnhance})
  --differences KIND    ${DIFFERENCES.join(' or ')} (${PUBLISHED.differences})
  --abscissa AXIS       forecast along ${ABSCISSAS.join(' time or ')} numbers (${PUBLISHED.abscissa})
  --schedule KIND       ${SCHEDULES.join(', ')} (${PUBLISHED.schedule})
  --budget N            for schedule budget: at most so many computed steps (${PUBLISHED.budget})
  --tolerance X         for schedule tolerance: relative error of the latents (${PUBLISHED.tolerance})
  --correct             compute steps correct the forecasts before them`;

/** The settings; what is left out is as published. Ranges are checked with the request. */
export function cacheFrom({ values }: Arguments): CacheSettings {
  return {
    basis: choiceOption(values, 'basis', BASES, PUBLISHED.basis),
    order: numberOption(values, 'order', PUBLISHED.order),
    sigma: numberOption(values, 'sigma', PUBLISHED.sigma),
    interval: numberOption(values, 'interval', PUBLISHED.interval),
    firstEnhance: numberOption(values, 'first-enhance', PUBLISHED.firstEnhance),
    differences: choiceOption(values, 'differences', DIFFERENCES, PUBLISHED.differences),
    abscissa: choiceOption(values, 'abscissa', ABSCISSAS, PUBLISHED.abscissa),
    schedule: choiceOption(values, 'schedule', SCHEDULES, PUBLISHED.schedule),
    budget: numberOption(values, 'budget', PUBLISHED.budget),
    tolerance: numberOption(values, 'tolerance', PUBLISHED.tolerance),
    correct: values.correct === true,
  };
}
