/** Cache settings that a button sets. */
import { type CacheSettings, PUBLISHED } from '../../forecast/settings.ts';

/** Steps are computed where the predicted error asks for it; the tolerance is the one knob. */
function withTolerance(tolerance: number): CacheSettings {
  return {
    basis: 'newton',
    order: 1,
    sigma: 0.5,
    differences: 'divided',
    abscissa: 'flow',
    schedule: 'tolerance',
    interval: 7,
    firstEnhance: 3,
    budget: 9,
    tolerance,
    correct: true,
  };
}

/** What a page without a memory starts with. */
export const BALANCED = withTolerance(0.02);

export interface Preset {
  readonly name: string;
  readonly hint: string;
  /** What it changes; settings that are not named stay as they are. */
  readonly settings: Partial<CacheSettings>;
}

export const PRESETS: readonly Preset[] = [
  { name: 'Draft', hint: 'Fast, for a first look', settings: withTolerance(0.05) },
  { name: 'Balanced', hint: 'Fast and near to the full picture', settings: BALANCED },
  { name: 'Faithful', hint: 'Hardly to be told from it', settings: withTolerance(0.005) },
  {
    name: 'HiCache as published',
    hint: 'Hermite of order 2, σ 0.5, every 7th step',
    settings: PUBLISHED,
  },
  {
    name: 'Compute every step',
    hint: 'No forecast: the full picture',
    settings: { basis: 'none' },
  },
];

export function isChosen({ settings }: Preset, current: CacheSettings): boolean {
  const names = Object.keys(settings) as (keyof CacheSettings)[];
  return names.every((name) => settings[name] === current[name]);
}
