/** One run's decisions: which steps to compute, how to forecast the others, and what was learnt. */
import type { Knowledge } from './calibration.ts';
import { CANDIDATES, LINEAR } from './verification/candidates.ts';
import { ForecasterChoice } from './verification/automatic-basis.ts';
import { ScheduleControl } from './schedule/controller.ts';
import { Expectation } from './verification/expected-error.ts';
import type { Gram } from './verification/gram.ts';
import { newtonWeights } from './bases/newton.ts';
import { positionsByAbscissa } from './positions.ts';
import { type CacheSettings, type Forecaster, MAX_ANCHORS } from './settings.ts';
import { forecastWeights } from './weights.ts';

/** What a compute step showed about the forecasts before it. All errors are relative. */
export interface Verification {
  readonly step: number;
  /** Steps since the compute step before, which is how far the forecast reached. */
  readonly distance: number;
  /** The forecaster in use and its error; null if no step was forecast before this one. */
  readonly served: { readonly forecaster: Forecaster; readonly error: number } | null;
  /** Error of each of `CANDIDATES`. */
  readonly errors: readonly number[];
  /** Compute steps whose features it compares, newest first: `step`, then those before it. */
  readonly anchors: readonly number[];
  /** Their inner products, as `Gram` takes them. */
  readonly gram: readonly number[];
}

/** A step made again between two true features: the older one's own, and the forecast ones. */
export interface Correction {
  readonly step: number;
  /** Weights of the newest two anchors, the newest first. */
  readonly weights: readonly [number, number];
}

interface Anchors {
  /** Compute steps whose features are kept, newest first. */
  readonly steps: readonly number[];
  readonly served: Forecaster | null;
}

export class CachePolicy {
  readonly #steps: number;
  readonly #positions: Readonly<Record<'step' | 'flow', readonly number[]>>;
  readonly #schedule: ScheduleControl;
  readonly #choice = new ForecasterChoice();
  readonly #expectation: Expectation;
  readonly #verifications: Verification[] = [];
  #anchors: Anchors = { steps: [], served: null };
  #served: Forecaster | null = null;
  #gram: Gram | null = null;
  #broken = false;

  /**
   * @param flowTimes of all steps and the end: [steps + 1], falling from 1.
   * @param fixed as `ScheduleControl` takes them.
   */
  constructor(
    steps: number,
    flowTimes: ArrayLike<number>,
    knowledge: Knowledge,
    fixed?: readonly number[],
  ) {
    this.#steps = steps;
    this.#positions = positionsByAbscissa(steps, flowTimes);
    this.#schedule = new ScheduleControl(flowTimes, knowledge, fixed);
    this.#expectation = new Expectation(
      flowTimes,
      knowledge.features,
      (forecaster, anchors, step) => this.#weights(forecaster, anchors, step, null),
    );
  }

  /** What compute steps have shown so far. */
  get verifications(): readonly Verification[] {
    return this.#verifications;
  }

  /** Whether a feature was not finite; from then on every step is computed. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Whether `step` runs the transformer. */
  computes(step: number, settings: CacheSettings): boolean {
    return this.#broken || this.#schedule.computes(step, settings);
  }

  /** The compute steps after `step` as far as is known now. */
  planned(step: number, settings: CacheSettings): number[] {
    return this.#schedule.planned(step, settings);
  }

  /** `step` was computed: its features are the newest anchor. */
  anchored(step: number): void {
    const steps = [step, ...this.#anchors.steps].slice(0, MAX_ANCHORS + 1);
    this.#anchors = { steps, served: this.#served };
    this.#schedule.computed(step);
    this.#served = null;
    this.#gram = null;
  }

  /** Anchors before the newest that its verification needs. */
  get olderAnchors(): number {
    return Math.max(0, this.#anchors.steps.length - 1);
  }

  /** Whether the newest anchor was computed after forecasts, which it can verify. */
  get endsForecasts(): boolean {
    return this.#anchors.served !== null;
  }

  /** Weights of the anchors for a forecast of `step`. */
  forecast(step: number, settings: CacheSettings): number[] {
    const anchors = this.#anchors.steps.slice(0, MAX_ANCHORS);
    const { basis, order, sigma, differences, abscissa } = settings;
    const forecaster: Forecaster =
      basis === 'auto'
        ? this.#automatic(anchors, settings)
        : { basis, order, sigma, differences, abscissa };
    this.#served = forecaster;
    return this.#weights(forecaster, anchors, step, this.#gram);
  }

  /**
   * The older of the two newest anchors' steps and the forecasts since, to be made again: linear
   * in flow time between true features. Empty with one anchor. The idea is the corrector of multistep methods
   * (UniPC, arXiv 2302.04867, uses it for the latents of a solver); it calls no model.
   */
  corrections(): Correction[] {
    const [newest, before] = this.#anchors.steps;
    if (newest === undefined || before === undefined) return [];
    const { flow } = this.#positions;
    return Array.from({ length: newest - before }, (_, i) => {
      const step = before + i;
      const weights = newtonWeights([flow[newest]!, flow[before]!], 1, flow[step]!);
      return { step, weights: [weights[0]!, weights[1]!] };
    });
  }

  /**
   * Has the anchors as they are now judged once their inner products are known, which may be
   * later; readings that come late change nothing but what is still to be decided.
   */
  verifier(): (gram: Gram) => void {
    const anchors = this.#anchors;
    return (gram) => this.#verify(anchors, gram);
  }

  #verify({ steps, served }: Anchors, gram: Gram): void {
    if (!gram.finite) {
      this.#broken = true;
      return;
    }
    if (steps[0] === this.#anchors.steps[0]) this.#gram = gram;
    const [step, ...older] = steps;
    if (step === undefined || older.length === 0) return;
    const seen = older.slice(0, gram.older);
    const known = gram.withoutNewest();
    const errorOf = (forecaster: Forecaster): number =>
      gram.forecastError(this.#weights(forecaster, seen, step, known));
    const errors = CANDIDATES.map(errorOf);
    this.#verifications.push({
      step,
      distance: step - older[0]!,
      served: served && { forecaster: served, error: errorOf(served) },
      errors,
      anchors: steps.slice(0, gram.older + 1),
      gram: gram.packed,
    });
    this.#choice.observe(errors, this.#expectation.atStep(seen, step));
    this.#schedule.verified(older[1] ?? -1, older[0]!, step, errors[CANDIDATES.indexOf(LINEAR)]!);
  }

  #automatic(anchors: readonly number[], settings: CacheSettings): Forecaster {
    const next = this.#schedule.planned(anchors[0]!, settings)[0] ?? this.#steps;
    const usual = this.#schedule.forecaster(settings) ?? LINEAR;
    return this.#choice.best(this.#expectation.upTo(next, anchors), usual);
  }

  #weights(
    forecaster: Forecaster,
    anchors: readonly number[],
    step: number,
    gram: Gram | null,
  ): number[] {
    const positions = this.#positions[forecaster.abscissa];
    return forecastWeights(
      forecaster,
      anchors.map((anchor) => positions[anchor]!),
      positions[step]!,
      { span: [positions[0]!, positions[this.#steps - 1]!], gram },
    );
  }
}
