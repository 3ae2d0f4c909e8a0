/** A bench's lines as figures: one result for each method. */
import type { Line } from './file.ts';
import type { Method } from './methods.ts';
import { type CallFlops, runFlops } from '../lib/flops.ts';
import { mean, median, quantile } from '../../src/shared/statistics.ts';

/** Over the prompts; null stands for infinity, such as the PSNR of equal pictures. */
export interface Spread {
  readonly median: number | null;
  readonly p10: number | null;
  readonly p90: number | null;
}

/** Shares of pictures whose object and background colour are those asked for. */
export interface Accuracy {
  readonly object: number;
  readonly background: number;
}

export interface MethodResult extends Method {
  /** Mean of steps that ran the transformer. */
  readonly computed: number;
  /** The full run's operations over this method's, means of both. */
  readonly flopsRatio: number;
  /** Medians of the full run's wall-clock over this method's, prompt by prompt. */
  readonly denoiseRatio: number;
  readonly totalRatio: number;
  /** Medians. */
  readonly seconds: { readonly denoise: number; readonly total: number };
  /** Median forecast step over median compute step; null without forecasts. */
  readonly forecastCost: number | null;
  readonly psnr: Spread;
  readonly ssim: Spread;
  readonly latentError: Spread;
  readonly accuracy: Accuracy | null;
}

/** @param lines of this method, one for each prompt. */
export function summarize(
  method: Method,
  lines: readonly Line[],
  full: readonly Line[],
  flops: CallFlops,
  accuracy: Accuracy | null,
): MethodResult {
  const over = (figure: (line: Line) => number): number[] => lines.map(figure);
  const meanFlops = (of: readonly Line[]): number =>
    mean(of.map(({ calls }) => runFlops(calls, flops)));
  const costs = lines.flatMap(({ forecastCost }) => forecastCost ?? []);
  return {
    ...method,
    computed: rounded(mean(over(({ computed }) => computed))),
    flopsRatio: rounded(meanFlops(full) / meanFlops(lines)),
    denoiseRatio: rounded(
      median(over(({ seconds, fullSeconds }) => fullSeconds.denoise / seconds.denoise)),
    ),
    totalRatio: rounded(
      median(over(({ seconds, fullSeconds }) => fullSeconds.total / seconds.total)),
    ),
    seconds: {
      denoise: rounded(median(over(({ seconds }) => seconds.denoise))),
      total: rounded(median(over(({ seconds }) => seconds.total))),
    },
    forecastCost: costs.length === 0 ? null : rounded(median(costs)),
    psnr: spread(over(({ psnr }) => psnr ?? Infinity)),
    ssim: spread(over(({ ssim }) => ssim)),
    latentError: spread(over(({ latentError }) => latentError ?? Infinity)),
    accuracy,
  };
}

export function spread(values: readonly number[]): Spread {
  const at = (q: number): number | null => {
    const value = quantile(values, q);
    return Number.isFinite(value) ? rounded(value) : null;
  };
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) };
}

/** Six digits: more than a bench can tell. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
