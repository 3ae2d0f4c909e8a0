/**
 * What any forecaster's error would have been at the compute steps of a finished run, in closed
 * form from the inner products that the run left behind.
 */
import { Gram } from '../../forecast/verification/gram.ts';
import { positionsByAbscissa } from '../../forecast/positions.ts';
import type { Abscissa, Forecaster } from '../../forecast/settings.ts';
import { forecastWeights } from '../../forecast/weights.ts';
import type { GenerateResult } from '../../workers/engine/api.ts';

type Stats = GenerateResult['stats'];

/** 0.1, 0.12 … 1. */
export const SIGMAS: readonly number[] = Array.from({ length: 46 }, (_, i) => (10 + 2 * i) / 100);

/** One compute step that had anchors before it. */
interface Evidence {
  readonly step: number;
  /** Steps since the compute step before. */
  readonly distance: number;
  /** Error of what was served; null if nothing was. */
  readonly served: number | null;
  readonly anchors: readonly number[];
  readonly gram: Gram;
  readonly known: Gram;
}

export class RunErrors {
  /** In the order of the steps. */
  readonly evidence: readonly Evidence[];
  readonly #positions: Readonly<Record<Abscissa, readonly number[]>>;
  readonly #curves = new Map<string, readonly (readonly number[])[]>();

  constructor({
    steps,
    flowTimes,
    verifications,
  }: Pick<Stats, 'steps' | 'flowTimes' | 'verifications'>) {
    this.#positions = positionsByAbscissa(steps, flowTimes);
    this.evidence = verifications
      .map(({ step, distance, served, anchors: [, ...anchors], gram: products }) => {
        const gram = new Gram(products, anchors.length);
        const known = gram.withoutNewest();
        return { step, distance, served: served?.error ?? null, anchors, gram, known };
      })
      .toSorted((a, b) => a.step - b.step);
  }

  /** Relative error of that forecaster at each compute step of `evidence`. */
  errors(forecaster: Forecaster): number[] {
    const positions = this.#positions[forecaster.abscissa];
    const span = [positions[0]!, positions.at(-1)!] as const;
    return this.evidence.map(({ step, anchors, gram, known }) => {
      const at = anchors.map((anchor) => positions[anchor]!);
      const weights = forecastWeights(forecaster, at, positions[step]!, { span, gram: known });
      return gram.forecastError(weights);
    });
  }

  /** Errors of Hermite forecasts of that order: for each of `SIGMAS`, at each compute step. */
  hermiteErrors(order: number, abscissa: Abscissa): readonly (readonly number[])[] {
    const key = `${abscissa} ${order}`;
    let curve = this.#curves.get(key);
    if (!curve) {
      curve = SIGMAS.map((sigma) => this.errors(hermite(order, sigma, abscissa)));
      this.#curves.set(key, curve);
    }
    return curve;
  }
}

export function hermite(order: number, sigma: number, abscissa: Abscissa): Forecaster {
  return { basis: 'hermite', order, sigma, differences: 'divided', abscissa };
}

/** Errors multiply; a forecast that is exact counts as this, not as minus infinity. */
const LEAST = 1e-9;

/** NaN for no values. */
export function geometricMean(values: readonly number[]): number {
  const logs = values.map((value) => Math.log(Math.max(value, LEAST)));
  return Math.exp(logs.reduce((sum, value) => sum + value, 0) / values.length);
}
