/** The settings of a feature cache. They may change between any two steps of a run. */

/** How features are forecast; `none` computes every step. */
export const BASES = ['none', 'reuse', 'taylor', 'taylor-scaled', 'hermite'] as const;
export type Basis = (typeof BASES)[number];

/**
 * How differences between anchors are taken. `paper`: HiCache's recursion, which divides by
 * the gap between the two newest anchors of its time. `divided`: true divided differences,
 * exact for polynomials whatever the spacing.
 */
export const DIFFERENCES = ['divided', 'paper'] as const;
export type Differences = (typeof DIFFERENCES)[number];

export interface CacheSettings {
  readonly basis: Basis;
  /** Highest difference used, 0 to 4. */
  readonly order: number;
  /** Scale of the Hermite and scaled-Taylor bases, 0.1 to 1. */
  readonly sigma: number;
  /** One step in `interval` is computed after the first ones, 1 to 12. */
  readonly interval: number;
  /** So many first steps are always computed, 1 to 12. */
  readonly firstEnhance: number;
  readonly differences: Differences;
}

export const LIMITS = {
  order: { min: 0, max: 4 },
  sigma: { min: 0.1, max: 1 },
  interval: { min: 1, max: 12 },
  firstEnhance: { min: 1, max: 12 },
} as const;

/** Most anchors that any basis reads: the highest order needs one more than itself. */
export const MAX_ANCHORS = LIMITS.order.max + 1;

/** HiCache's published setting for 50 steps (arXiv 2508.16984, section 4). */
export const PUBLISHED: CacheSettings = {
  basis: 'hermite',
  order: 2,
  sigma: 0.5,
  interval: 7,
  firstEnhance: 3,
  differences: 'paper',
};

/** What is wrong with the settings, in words for the person who set them; empty if nothing. */
export function settingsProblems(settings: CacheSettings): string[] {
  const problems: string[] = [];
  if (!BASES.includes(settings.basis)) {
    problems.push(`basis must be one of ${BASES.join(', ')}, not ${String(settings.basis)}`);
  }
  if (!DIFFERENCES.includes(settings.differences)) {
    problems.push(
      `differences must be one of ${DIFFERENCES.join(', ')}, not ${String(settings.differences)}`,
    );
  }
  for (const name of ['order', 'interval', 'firstEnhance'] as const) {
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
  return problems;
}
