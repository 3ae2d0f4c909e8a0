/** Closed-loop trials: whole pictures made with a set of compute steps, against the full run. */
import { CANDIDATES, LINEAR } from '../../src/forecast/verification/candidates.ts';
import { type Forecaster, PUBLISHED } from '../../src/forecast/settings.ts';
import { type Engine, generate } from '../../src/sampling/generate.ts';
import type { GenerateStats } from '../../src/sampling/stats.ts';
import { Tap } from '../bench/tap.ts';
import type { Subject } from '../bench/run.ts';
import { mean, relativeError } from '../../src/shared/statistics.ts';
import { type Done, once } from './file.ts';

/** One way to spend compute steps; forecasts are corrected. */
export interface Plan {
  readonly steps: number;
  readonly computeSteps: readonly number[];
  readonly forecaster: Forecaster;
}

/** The straight line through two anchors, and its relative error at a compute step. */
export interface VerifiedLine {
  /** −1 if there was no anchor before `current`. */
  readonly previous: number;
  readonly current: number;
  readonly step: number;
  readonly error: number;
}

/** Where errors come from; search needs to know no more. */
export interface Errors {
  readonly pictures: number;
  /** Logarithm of the relative error of the final latents. */
  logError(plan: Plan, picture: number): Promise<number>;
}

/** Exact runs have logarithms too. */
const LEAST = 1e-6;

export class Trials implements Errors {
  /** Final latents of full runs, by picture and steps. */
  readonly #truths = new Map<string, Float32Array>();

  constructor(
    private readonly engine: Engine,
    private readonly subjects: readonly Subject[],
    private readonly done: Done,
    private readonly signal: AbortSignal,
    /** Told the transformer calls of every trial that is made. */
    private readonly onWork: (calls: number) => void,
  ) {}

  get pictures(): number {
    return this.subjects.length;
  }

  async logError(plan: Plan, picture: number): Promise<number> {
    const work = JSON.stringify([plan.steps, plan.computeSteps, plan.forecaster, picture]);
    const error = await once(this.done, work, async () => {
      const truth = await this.#truth(plan.steps, picture);
      const found = relativeError(await this.#latents(plan, picture), truth);
      this.onWork(plan.computeSteps.length);
      return Number.isFinite(found) ? found : 1;
    });
    return Math.log(Math.max(error, LEAST));
  }

  /** What the compute steps of such a picture verify of the straight line. */
  async lines(plan: Plan, picture: number): Promise<readonly VerifiedLine[]> {
    const work = `lines ${JSON.stringify([plan.steps, plan.computeSteps, plan.forecaster, picture])}`;
    return once(this.done, work, async () => {
      const { stats } = await this.#make(plan, picture);
      this.onWork(plan.computeSteps.length);
      return stats.verifications.map(({ anchors: [step, current, previous = -1], errors }) => ({
        previous,
        current: current!,
        step: step!,
        error: errors[CANDIDATES.indexOf(LINEAR)]!,
      }));
    });
  }

  async #truth(steps: number, picture: number): Promise<Float32Array> {
    const key = `${steps} ${picture}`;
    let latents = this.#truths.get(key);
    if (!latents) {
      const every = Array.from({ length: steps }, (_, step) => step);
      const forecaster = { ...PUBLISHED, basis: 'reuse' } as const;
      latents = await this.#latents({ steps, computeSteps: every, forecaster }, picture);
      this.#truths.set(key, latents);
    }
    return latents;
  }

  async #latents(plan: Plan, picture: number): Promise<Float32Array> {
    return (await this.#make(plan, picture)).latents;
  }

  async #make(
    { steps, computeSteps, forecaster }: Plan,
    picture: number,
  ): Promise<{ latents: Float32Array; stats: GenerateStats }> {
    const tap = new Tap(this.engine.backend);
    const cache = { ...PUBLISHED, ...forecaster, correct: true };
    const { stats } = await generate(
      { ...this.engine, backend: tap },
      { ...this.subjects[picture]!, steps, sampler: 'euler', cache, preview: false },
      {
        settings: () => cache,
        computeSteps,
        signal: this.signal,
        onEvent: () => undefined,
      },
    );
    return { latents: tap.latents, stats };
  }
}

/** Mean logarithm of the error over all pictures. */
export async function meanLogError(errors: Errors, plan: Plan): Promise<number> {
  const all: number[] = [];
  for (let picture = 0; picture < errors.pictures; picture++) {
    all.push(await errors.logError(plan, picture));
  }
  return mean(all);
}

/** Pictures after which a plan that is behind is given up. */
export const FIRST_LOOK = 4;

/**
 * Whether `plan` errs less than `other`, judged by the same pictures. It must be ahead by half a
 * standard error of the mean difference, since many plans are tried on few pictures; one that is
 * behind after the first few is not tried on the others.
 */
export async function isBetter(errors: Errors, plan: Plan, other: Plan): Promise<boolean> {
  const ahead: number[] = [];
  for (let picture = 0; picture < errors.pictures; picture++) {
    ahead.push((await errors.logError(other, picture)) - (await errors.logError(plan, picture)));
    if (picture + 1 >= FIRST_LOOK && mean(ahead) <= 0) return false;
  }
  const average = mean(ahead);
  const spread = mean(ahead.map((difference) => (difference - average) ** 2));
  return average > 0.5 * Math.sqrt(spread / Math.max(1, ahead.length - 1));
}
