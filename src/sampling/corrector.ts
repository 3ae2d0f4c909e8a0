/**
 * The free correction. Forecasts reach beyond the newest true feature; once the next one is
 * known, the same steps are made again between the two, with the head alone. Without a call of
 * the transformer this takes back most of the error that the forecasts brought into the latents.
 */
import type { DenoiseRun } from '../runtime/backend.ts';
import type { CachePolicy, Correction } from '../forecast/policy.ts';
import { type Sampler, stepDeltas } from './scheduler.ts';

/** The weights that make the newest anchor itself what the head reads. */
const NEWEST = [1];

export class Retrace {
  /** The compute step after which the latents were marked. */
  #marked: number | undefined;

  constructor(
    private readonly run: DenoiseRun,
    private readonly policy: CachePolicy,
    private readonly sigmas: ArrayLike<number>,
    private readonly sampler: Sampler,
  ) {}

  /** After the step of compute step `step`: here its corrections will start. */
  async mark(step: number): Promise<void> {
    await this.run.mark();
    this.#marked = step;
  }

  /**
   * Right after a compute step's features are known, and before they are used: goes back to
   * the compute step before, if that was marked, and makes the forecast steps since again.
   */
  async correct(): Promise<void> {
    const [anchor, ...forecasts] = this.policy.corrections();
    if (!anchor || forecasts.length === 0 || anchor.step !== this.#marked) return;
    await this.run.rewind();
    if (this.sampler === 'adams') await this.velocity(anchor);
    for (const correction of forecasts) {
      await this.velocity(correction);
      await this.run.step(stepDeltas(this.sampler, this.sigmas, correction.step));
    }
    await this.run.forecast(NEWEST);
  }

  private async velocity({ step, weights }: Correction): Promise<void> {
    await this.run.forecast(weights);
    await this.run.head(this.sigmas[step]!);
  }
}
