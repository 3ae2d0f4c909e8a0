/** The feature cache's settings as options of a command line. */
import { BASES, type CacheSettings, DIFFERENCES, PUBLISHED } from '../src/cache/settings.ts';
import { type Arguments, choiceOption, numberOption } from './args.ts';

export const CACHE_OPTIONS = [
  'basis',
  'order',
  'sigma',
  'interval',
  'first-enhance',
  'differences',
] as const;

export const CACHE_HELP = `  --basis NAME          ${BASES.join(', ')} (${PUBLISHED.basis})
  --order N             highest difference that is used (${PUBLISHED.order})
  --sigma X             scale of the Hermite and scaled Taylor bases (${PUBLISHED.sigma})
  --interval N          one step in N runs the transformer (${PUBLISHED.interval})
  --first-enhance N     so many first steps always do (${PUBLISHED.firstEnhance})
  --differences KIND    ${DIFFERENCES.join(' or ')} (${PUBLISHED.differences})`;

/** The settings; what is left out is as published. Ranges are checked with the request. */
export function cacheFrom({ values }: Arguments): CacheSettings {
  return {
    basis: choiceOption(values, 'basis', BASES, PUBLISHED.basis),
    order: numberOption(values, 'order', PUBLISHED.order),
    sigma: numberOption(values, 'sigma', PUBLISHED.sigma),
    interval: numberOption(values, 'interval', PUBLISHED.interval),
    firstEnhance: numberOption(values, 'first-enhance', PUBLISHED.firstEnhance),
    differences: choiceOption(values, 'differences', DIFFERENCES, PUBLISHED.differences),
  };
}
