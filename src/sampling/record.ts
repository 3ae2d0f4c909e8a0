/** What a run did and what it took, gathered on the way. */
import type { BackendInfo } from '../runtime/backend.ts';
import { type CacheSettings, sameSettings } from '../forecast/settings.ts';
import type { GenerateRequest } from './job.ts';
import { Pace } from './pace.ts';
import type { PromptReading } from '../prompt/reading.ts';
import type { GenerateStats } from './stats.ts';
import { unverifiedSteps } from './unverified.ts';

/** What a run went by and what the cache learnt on the way. */
type Findings = Pick<
  GenerateStats,
  'guidance' | 'flowTimes' | 'verifications' | 'differenceSamples' | 'nonFinite'
>;

type Stage = Exclude<keyof GenerateStats['seconds'], 'total'>;

interface CurrentStep {
  readonly step: number;
  readonly computed: boolean;
  readonly started: number;
}

export class RunRecord {
  readonly #steps: number;
  readonly #started = performance.now();
  readonly #pace = new Pace();
  readonly #seconds: Record<Stage, number> = { text: 0, trunk: 0, forecast: 0, head: 0, decode: 0 };
  readonly #computeSteps: number[] = [];
  readonly #cache: { fromStep: number; settings: CacheSettings }[] = [];
  #current: CurrentStep | undefined;

  constructor(steps: number) {
    this.#steps = steps;
  }

  /** Runs `work` and adds its wall-clock to the stage's. */
  async time<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#seconds[stage] += secondsSince(started);
    return result;
  }

  startStep(step: number, computed: boolean, settings: CacheSettings): void {
    this.#current = { step, computed, started: performance.now() };
    if (computed) this.#computeSteps.push(step);
    const before = this.#cache.at(-1)?.settings;
    if (!before || !sameSettings(before, settings)) {
      this.#cache.push({ fromStep: step, settings: { ...settings } });
    }
  }

  /**
   * Wall-clock of the step that ends here, and the estimate for all that is still to do.
   *
   * @param ahead compute steps that are still planned
   */
  endStep(ahead: number): { seconds: number; secondsLeft: number } {
    const { step, computed, started } = this.#current!;
    const seconds = secondsSince(started);
    this.#pace.record(computed, seconds);
    const stepsLeft = this.#steps - step - 1;
    return { seconds, secondsLeft: this.#pace.secondsLeft(ahead, stepsLeft - ahead) };
  }

  stats(
    { prompt, seed, steps, sampler, width, height }: GenerateRequest,
    { encodedPrompt, unknownWords, cuts }: PromptReading,
    { kind, adapter, precision, reason }: BackendInfo,
    findings: Findings,
  ): GenerateStats {
    const total = secondsSince(this.#started);
    return {
      prompt,
      encodedPrompt,
      promptCuts: cuts,
      unknownWords: unknownWords.map(({ word }) => word),
      seed,
      steps,
      sampler,
      width,
      height,
      computeSteps: this.#computeSteps,
      cache: this.#cache,
      ...findings,
      unverifiedSteps: unverifiedSteps(steps, this.#computeSteps, findings.verifications),
      backend: kind,
      adapter,
      precision,
      backendReason: reason,
      seconds: { total, ...this.#seconds },
      speedup: this.#pace.speedup(total),
    };
  }
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
