/** What steps take: for the time that is left, and for the speed-up at the end. */
import { mean, median } from '../shared/statistics.ts';

/** Until a forecast step was measured, it is taken for this part of a compute step. */
const FORECAST_GUESS = 0.1;

export class Pace {
  readonly #compute: number[] = [];
  readonly #forecast: number[] = [];

  record(computed: boolean, seconds: number): void {
    (computed ? this.#compute : this.#forecast).push(seconds);
  }

  /**
   * Seconds for so many more steps and the decoding, which is taken for one compute step. The
   * first compute step of a run may contain the making of GPU pipelines, so it counts only as
   * long as there is no other.
   */
  secondsLeft(computeSteps: number, forecastSteps: number): number {
    const [first = 0, ...others] = this.#compute;
    const compute = others.length > 0 ? mean(others) : first;
    const forecast = this.#forecast.length > 0 ? mean(this.#forecast) : compute * FORECAST_GUESS;
    return (computeSteps + 1) * compute + forecastSteps * forecast;
  }

  /**
   * Wall-clock of a run that computes every step over that of this one: each forecast step is
   * put at the median compute step, everything else stays as measured.
   */
  speedup(totalSeconds: number): number {
    if (this.#forecast.length === 0) return 1;
    const forecast = this.#forecast.reduce((sum, seconds) => sum + seconds, 0);
    const computedInstead = this.#forecast.length * median(this.#compute);
    return (totalSeconds - forecast + computedInstead) / totalSeconds;
  }
}
