/** Runs several methods over the same requests, in turn, and compares them with the first. */
import type { CacheSettings } from '../src/cache/settings.ts';
import { type Engine, generate } from '../src/pipeline/generate.ts';
import type { GenerateRequest } from '../src/pipeline/job.ts';
import { psnr } from './psnr.ts';

export interface Method {
  readonly name: string;
  readonly steps: number;
  readonly cache: CacheSettings;
}

export interface MethodResult extends Method {
  /** Steps of a run that ran the transformer. */
  readonly computeSteps: number;
  /** Medians over the requests. `denoise`: trunk, forecasts and head, without text and decoder. */
  readonly seconds: { readonly total: number; readonly denoise: number };
  /** Medians over the requests of the first method's time over this one's. */
  readonly totalRatio: number;
  readonly denoiseRatio: number;
  /** Median forecast step over median compute step; null without forecasts. */
  readonly forecastCost: number | null;
  /** Mean over the requests against the first method's pictures, in dB; null if all are equal. */
  readonly psnr: number | null;
  readonly runs: readonly Run[];
}

interface Run {
  readonly total: number;
  readonly denoise: number;
  readonly computeSteps: number;
  readonly computeStepSeconds: readonly number[];
  readonly forecastStepSeconds: readonly number[];
  readonly psnr: number;
}

/**
 * One untimed run first, which makes pipelines and fills caches. Then request by request all
 * methods, every second time in reverse, so that a machine that slows down slows all of them.
 */
export async function compare(
  engine: Engine,
  requests: readonly GenerateRequest[],
  methods: readonly Method[],
  log: (line: string) => void,
): Promise<MethodResult[]> {
  const [reference] = methods;
  const [warmUp] = requests;
  if (!reference || !warmUp) throw new RangeError('there is nothing to compare');
  await runOnce(engine, warmUp, { ...reference, steps: Math.min(2, reference.steps) });

  const runs = methods.map((): Run[] => []);
  for (const [n, request] of requests.entries()) {
    const done = new Map<Method, Awaited<ReturnType<typeof runOnce>>>();
    for (const method of n % 2 === 0 ? methods : methods.toReversed()) {
      done.set(method, await runOnce(engine, request, method));
      log(`${n + 1}/${requests.length} ${method.name}: ${done.get(method)!.total.toFixed(2)} s`);
    }
    const truth = done.get(reference)!.pixels;
    for (const [m, method] of methods.entries()) {
      const { pixels, ...times } = done.get(method)!;
      runs[m]!.push({ ...times, psnr: psnr(pixels, truth) });
    }
  }
  return methods.map((method, m) => summarize(method, runs[m]!, runs[0]!));
}

async function runOnce(
  engine: Engine,
  request: GenerateRequest,
  { steps, cache }: Method,
): Promise<Omit<Run, 'psnr'> & { pixels: Uint8ClampedArray }> {
  const computeStepSeconds: number[] = [];
  const forecastStepSeconds: number[] = [];
  const { pixels, stats } = await generate(
    engine,
    { ...request, steps, cache },
    {
      settings: () => cache,
      signal: new AbortController().signal,
      onEvent: (event) => {
        if (event.kind !== 'step') return;
        (event.computed ? computeStepSeconds : forecastStepSeconds).push(event.seconds);
      },
    },
  );
  const { total, trunk, forecast, head } = stats.seconds;
  return {
    pixels,
    total,
    denoise: trunk + forecast + head,
    computeSteps: stats.computeSteps.length,
    computeStepSeconds,
    forecastStepSeconds,
  };
}

function summarize(method: Method, runs: readonly Run[], reference: readonly Run[]): MethodResult {
  const forecasts = runs.flatMap((run) => run.forecastStepSeconds);
  const computes = runs.flatMap((run) => run.computeStepSeconds);
  const distances = runs.map((run) => run.psnr).filter(Number.isFinite);
  return {
    ...method,
    computeSteps: runs[0]!.computeSteps,
    seconds: {
      total: median(runs.map((run) => run.total)),
      denoise: median(runs.map((run) => run.denoise)),
    },
    totalRatio: median(runs.map((run, n) => reference[n]!.total / run.total)),
    denoiseRatio: median(runs.map((run, n) => reference[n]!.denoise / run.denoise)),
    forecastCost: forecasts.length === 0 ? null : median(forecasts) / median(computes),
    psnr: distances.length === 0 ? null : distances.reduce((a, b) => a + b) / distances.length,
    runs,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
