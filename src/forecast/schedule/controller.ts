/** Which steps of one run are computed, decided anew whenever more is known. */
import type { CalibratedPlan, Knowledge } from '../calibration.ts';
import type { Planner } from './planner.ts';
import { plannerFor } from './plan-memo.ts';
import { plannedComputeSteps } from './interval.ts';
import {
  type CacheSettings,
  type Forecaster,
  LIMITS,
  PUBLISHED,
  sameSettings,
} from '../settings.ts';

/** The controller keeps part of the tolerance free for what the prediction misses. */
const SAFETY = 0.8;

/** A gap is at most so many times as long as the one before it, plus one step. */
const GROWTH = 2;

/**
 * A budget that is set late leaves at least one compute step in so many, or as many as the plan
 * before it would have: less is no budget but a run that is given up.
 */
const LATE_INTERVAL = PUBLISHED.interval;

/** How far verification may move the predicted error up or down, as a factor. */
const MOST_RATIO = 4;

/** Share of the newest verification in the smoothed ratio. */
const NEWEST = 0.5;

export class ScheduleControl {
  readonly #steps: number;
  readonly #planner: (correct: boolean) => Planner;
  readonly #plans: readonly CalibratedPlan[];
  /** Verified over predicted error, as it usually is. */
  readonly #usual: number;
  readonly #fixed: readonly number[] | undefined;
  readonly #computed: number[] = [];
  /** Logarithm of verified over predicted error, against the usual one, smoothed. */
  #logRatio = 0;
  /** Squared predicted error of the final latents from all forecasts before the last anchor. */
  #spent = 0;
  #correct = false;
  #settings: CacheSettings | undefined;
  /** How many steps the budget in force may compute in all. */
  #budget = 0;
  /** Whether the settings were ever changed on the way. */
  #changed = false;
  /** The step of the last change, until a forecast made since then is verified. */
  #unverifiedSince: number | undefined;

  /**
   * @param flowTimes of all steps and the end: [steps + 1], falling from 1.
   * @param fixed the steps to compute, growing and from 0, in place of any schedule
   */
  constructor(
    flowTimes: ArrayLike<number>,
    { features, plans, verified }: Knowledge,
    fixed?: readonly number[],
  ) {
    this.#fixed = fixed;
    this.#steps = flowTimes.length - 1;
    this.#planner = (correct) => plannerFor(features, flowTimes, correct);
    this.#plans = plans;
    this.#usual = verified;
  }

  /** Whether `step` runs the transformer. */
  computes(step: number, settings: CacheSettings): boolean {
    this.#observe(step, settings);
    if (settings.basis === 'none' || this.#computed.length === 0) return true;
    return step >= (this.#ahead(settings)[0] ?? this.#steps);
  }

  /** The compute steps after `step`, if nothing more is learnt. */
  planned(step: number, settings: CacheSettings): number[] {
    if (settings.basis === 'none') {
      return Array.from({ length: this.#steps - 1 - step }, (_, i) => step + 1 + i);
    }
    return this.#ahead(settings).filter((ahead) => ahead > step);
  }

  /** What the calibration found to forecast best for the plan that this run keeps to. */
  forecaster(settings: CacheSettings): Forecaster | undefined {
    return this.#keptPlan(this.#computed.length + this.#ahead(settings).length)?.forecaster;
  }

  /** `step` was computed. */
  computed(step: number): void {
    if (this.#computed.length > 0) {
      const gap = this.#ratio * this.#planner(this.#correct).gapError(...this.#newest, step);
      this.#spent += gap * gap;
      this.#verifies(step);
    }
    this.#computed.push(step);
  }

  /**
   * What a compute step verified: the relative error of the straight line through the two anchors
   * before it.
   *
   * @param previous compute step before `current`, −1 if there was none.
   */
  verified(previous: number, current: number, step: number, linearError: number): void {
    const predicted = this.#planner(this.#correct).linearError(previous, current, step);
    const ratio = Math.log(linearError / (this.#usual * predicted));
    if (!Number.isFinite(ratio)) return;
    const bound = Math.log(MOST_RATIO);
    this.#logRatio =
      (1 - NEWEST) * this.#logRatio + NEWEST * Math.max(-bound, Math.min(bound, ratio));
  }

  /** Takes note of settings that changed before `step`. */
  #observe(step: number, settings: CacheSettings): void {
    const before = this.#settings;
    this.#correct = settings.correct;
    if (before && sameSettings(before, settings)) return;
    if (!before || this.#computed.length === 0) {
      this.#budget = settings.budget;
    } else {
      this.#changed = true;
      this.#unverifiedSince = step;
      if (budgetOf(before) !== budgetOf(settings)) this.#setBudgetLate(before, settings);
    }
    this.#settings = settings;
  }

  /**
   * A budget that is set when steps have been computed by other rules may be spent, or all but
   * spent. It then has what is left of the plan before it, as far as that is not more than a
   * sparse schedule needs.
   */
  #setBudgetLate(before: CacheSettings, { budget, correct }: CacheSettings): void {
    const current = this.#computed.at(-1)!;
    const ahead =
      before.basis === 'none' ? this.#steps - 1 - current : this.#scheduled(before).length;
    const stride = LATE_INTERVAL * this.#planner(correct).stride;
    const sparse = Math.floor((this.#steps - 1 - current) / stride);
    this.#budget = Math.max(budget, this.#computed.length + Math.min(ahead, sparse));
  }

  /** `step` is computed: it verifies the forecasts since the compute step before. */
  #verifies(step: number): void {
    if (this.#unverifiedSince === undefined) return;
    const firstForecast = Math.max(this.#computed.at(-1)! + 1, this.#unverifiedSince);
    if (firstForecast < step) this.#unverifiedSince = undefined;
  }

  get #ratio(): number {
    return Math.exp(this.#logRatio);
  }

  /** The two newest compute steps; −1 stands for none. */
  get #newest(): [previous: number, current: number] {
    return [this.#computed.at(-2) ?? -1, this.#computed.at(-1)!];
  }

  /**
   * The compute steps after the newest one. Forecasts made with settings that were changed on the
   * way are verified by one of them, at the latest the last step, and no anchor grows older than
   * any plan would let it.
   */
  #ahead(settings: CacheSettings): readonly number[] {
    const ahead = this.#scheduled(settings);
    if (!this.#changed || this.#fixed) return ahead;
    const latest = this.#computed.at(-1)! + this.#planner(settings.correct).longestGap;
    if (latest < this.#steps && (ahead[0] ?? this.#steps) > latest) return [latest, ...ahead];
    if (ahead.length > 0 || this.#unverifiedSince === undefined) return ahead;
    return [this.#steps - 1];
  }

  /** The compute steps after the newest one by the schedule alone. */
  #scheduled(settings: CacheSettings): readonly number[] {
    if (this.#fixed) return this.#fixed.filter((step) => step > this.#computed.at(-1)!);
    switch (settings.schedule) {
      case 'interval': {
        const current = this.#computed.at(-1)!;
        return plannedComputeSteps(this.#steps, settings, current + 1, current);
      }
      case 'budget':
        return this.#best(this.#budget - this.#computed.length, settings.correct);
      case 'tolerance':
        return this.#withinTolerance(settings);
    }
  }

  /**
   * The best way to compute so many more steps: the rest of a calibrated plan if this run has kept
   * to one so far, the planner's if not. Plans are calibrated with corrections.
   */
  #best(left: number, correct: boolean): readonly number[] {
    const plan = correct ? this.#keptPlan(this.#computed.length + left) : undefined;
    return plan
      ? plan.computeSteps.slice(this.#computed.length)
      : this.#planner(correct).rest(...this.#newest, left);
  }

  #keptPlan(count: number): CalibratedPlan | undefined {
    return this.#plans.find(
      ({ computeSteps }) =>
        computeSteps.length === count &&
        this.#computed.every((step, i) => step === computeSteps[i]),
    );
  }

  /**
   * The plan with the fewest compute steps whose predicted error stays under the tolerance, each
   * prediction scaled by how verified errors compare with predicted ones in this run.
   */
  #withinTolerance({ tolerance, correct }: CacheSettings): readonly number[] {
    const [previous, current] = this.#newest;
    const planner = this.#planner(correct);
    const allowed = (SAFETY * tolerance) ** 2 - this.#spent;
    const most = this.#steps - 1 - current;
    let count = 0;
    while (
      count < most &&
      (this.#ratio * planner.restError(previous, current, count)) ** 2 > allowed
    ) {
      count++;
    }
    const ahead = this.#best(count, correct);
    const grown = previous < 0 ? 1 : GROWTH * (current - previous) + 1;
    const latest = current + Math.min(grown, LIMITS.interval.max);
    if (latest >= this.#steps || (ahead[0] ?? this.#steps) <= latest) return ahead;
    return [latest, ...ahead];
  }
}

/** The budget that settings give a run; undefined where something else decides. */
function budgetOf({ basis, schedule, budget }: CacheSettings): number | undefined {
  return basis !== 'none' && schedule === 'budget' ? budget : undefined;
}
