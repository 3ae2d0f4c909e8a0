/**
 * Which forecaster to trust next. The prior is the usual one: what the calibration found best, or
 * a straight line. Another one takes its place only on evidence: the error that the feature model
 * expects each to leave in the latents, times how each has done in this run against such
 * expectations, judged only by forecasts that were really due: at every compute step each
 * candidate's forecast of it, out of sample, at the distance just served.
 */
import { CANDIDATES, isSame, REUSE } from './candidates.ts';
import type { Forecaster } from '../settings.ts';

/**
 * Share of the newest evidence in the smoothed score, the rest being all before it. The first
 * evidence replaces the prior entirely: features have thousands of numbers, so it is no accident.
 */
const NEWEST = 0.5;

/** No evidence counts for more than this factor either way. */
const MOST = Math.log(1000);

const REUSED = CANDIDATES.indexOf(REUSE);

/** A lead that counts, as a factor: a tie is no evidence. */
const LEAD = Math.log(1.25);

/** Keeps logarithms of exact forecasts finite. */
const FLOOR = 1e-9;

export class ForecasterChoice {
  /** Logarithm of verified over expected error, smoothed; the prior is that they are equal. */
  readonly #scores: number[] = CANDIDATES.map(() => 0);
  /** Logarithm of verified error over that of reuse: the last, and the one before. */
  readonly #againstReuse: [last: number, before: number][] = CANDIDATES.map(() => [-MOST, -MOST]);
  #observed = 0;

  /**
   * The usual forecaster, or the candidate that errs least if that is clearly less. Whoever
   * extrapolates must have been clearly better than reuse the last two times; the usual one,
   * better once.
   *
   * @param expected error that each of `CANDIDATES` is expected to leave in the latents until the
   * next compute step.
   */
  best(expected: readonly number[], usual: Forecaster): Forecaster {
    const scores = expected.map((error, i) => {
      const score = Math.log(error + FLOOR) + this.#scores[i]!;
      const against = this.#againstReuse[i]!;
      if (isSame(CANDIDATES[i]!, usual)) return Math.min(...against) < 0 ? score - LEAD : Infinity;
      return i === REUSED || Math.max(...against) < -LEAD ? score : Infinity;
    });
    return CANDIDATES[scores.indexOf(Math.min(...scores))]!;
  }

  /** @param verified, @param expected error of each of `CANDIDATES` at one compute step. */
  observe(verified: readonly number[], expected: readonly number[]): void {
    const share = Math.max(NEWEST, 1 / ++this.#observed);
    verified.forEach((error, i) => {
      const newest = evidence(error, expected[i]!);
      this.#scores[i] = (1 - share) * this.#scores[i]! + share * newest;
      this.#againstReuse[i] = [evidence(error, verified[REUSED]!), this.#againstReuse[i]![0]];
    });
  }
}

function evidence(error: number, other: number): number {
  const ratio = Math.log((error + FLOOR) / (other + FLOOR));
  return Number.isNaN(ratio) ? MOST : Math.max(-MOST, Math.min(MOST, ratio));
}
