/** What the numbers of a noise schedule may be, in a checkpoint and in a bundle alike. */
import * as v from 'valibot';

/** Beyond these no step but the first or the last would change anything. */
const SHIFT = { min: 1e-3, max: 1000 } as const;
const LOG_SHIFT = { min: Math.log(SHIFT.min), max: Math.log(SHIFT.max) } as const;

export const scheduleFields = {
  /** Times that the noise-to-image ratio is raised at every flow time. */
  shift: v.pipe(
    v.number(),
    v.minValue(SHIFT.min, ({ received }) => `must be more than 0, not ${received}`),
    v.maxValue(SHIFT.max, ({ received }) => `must be at most ${SHIFT.max}, not ${received}`),
  ),
  /** Natural logarithm of a shift. */
  logShift: v.pipe(
    v.number(),
    v.check(
      (value) => value >= LOG_SHIFT.min && value <= LOG_SHIFT.max,
      ({ received }) =>
        `must be from ${LOG_SHIFT.min.toFixed(1)} to ${LOG_SHIFT.max.toFixed(1)}, not ${received}`,
    ),
  ),
  /** Image tokens of a transformer. */
  imageTokens: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e9)),
} as const;
