/**
 * Which forecaster to trust next. Two sources: what the feature model expects of each for the
 * anchors and the distance at hand, and how each has done in this run against that expectation,
 * judged only by forecasts that were really due: at every compute step each candidate's forecast
 * of it, out of sample, at the distance just served.
 */
import { CANDIDATES, REUSE } from './candidates.ts';
import type { Forecaster } from './settings.ts';

/**
 * Share of the newest evidence in the smoothed score, the rest being all before it. The first
 * evidence replaces the prior entirely: features have thousands of numbers, so it is no accident.
 */
const NEWEST = 0.5;

/** No evidence counts for more than this factor either way. */
const MOST = Math.log(1000);

/** Whoever extrapolates must have been better than reuse by this factor: a tie is no evidence. */
const LEAD = Math.log(1.25);

const REUSED = CANDIDATES.indexOf(REUSE);

/** Keeps logarithms of exact forecasts finite. */
const FLOOR = 1e-9;

export class ForecasterChoice {
  /** Logarithm of verified over expected error, smoothed; the prior is that they are equal. */
  readonly #scores: number[] = CANDIDATES.map(() => 0);
  /** Logarithm of verified error over that of reuse: the last, and the one before. */
  readonly #againstReuse: [last: number, before: number][] = CANDIDATES.map(() => [-MOST, -MOST]);
  #observed = 0;

  /**
   * The candidate with the least error to be expected now, among those that were clearly better
   * than reuse the last two times.
   *
   * @param expected error of each of `CANDIDATES` for the forecast to be made.
   */
  best(expected: readonly number[]): Forecaster {
    const errors = expected.map((error, i) => {
      const trusted = i === REUSED || Math.max(...this.#againstReuse[i]!) < -LEAD;
      return trusted ? Math.log(error + FLOOR) + this.#scores[i]! : Infinity;
    });
    return CANDIDATES[errors.indexOf(Math.min(...errors))]!;
  }

  /** @param verified, @param expected error of each of `CANDIDATES` at one compute step. */
  observe(verified: readonly number[], expected: readonly number[]): void {
    const share = Math.max(NEWEST, 1 / ++this.#observed);
    const reuse = verified[REUSED]!;
    verified.forEach((error, i) => {
      const newest = evidence(error, expected[i]!);
      this.#scores[i] = (1 - share) * this.#scores[i]! + share * newest;
      this.#againstReuse[i] = [evidence(error, reuse), this.#againstReuse[i]![0]];
    });
  }
}

function evidence(error: number, other: number): number {
  const ratio = Math.log((error + FLOOR) / (other + FLOOR));
  return Number.isNaN(ratio) ? MOST : Math.max(-MOST, Math.min(MOST, ratio));
}
