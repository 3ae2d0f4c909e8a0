/** Runs all methods over all prompts, in turn, and compares each picture with the full run's. */
import { existsSync } from 'node:fs';
import type { Manifest } from '../../src/bundle/manifest.ts';
import { type Engine, generate } from '../../src/sampling/generate.ts';
import type { GenerateRequest, GenerateResult } from '../../src/sampling/job.ts';
import type { BenchFile, Line, LineKey } from './file.ts';
import { type Method, controlOf } from './methods.ts';
import { picturePath, writePicture } from './images.ts';
import { digest } from './prompts.ts';
import { Tap } from './tap.ts';
import { psnr } from '../lib/psnr.ts';
import { ssim } from '../lib/ssim.ts';
import { median, relativeError } from '../../src/shared/statistics.ts';

/** What a request has besides the method's part. */
export type Subject = Pick<GenerateRequest, 'prompt' | 'seed' | 'width' | 'height'>;

export interface BenchOptions {
  readonly signal: AbortSignal;
  /** Where the pictures go, a folder for each method; not written if left out. */
  readonly pictures?: string;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  /** Pictures done and to be done, those of earlier sittings included. */
  readonly done: number;
  readonly all: number;
  readonly secondsLeft: number;
}

interface Sample {
  readonly picture: GenerateResult;
  readonly latents: Float32Array;
  readonly line: Pick<Line, 'computed' | 'calls' | 'seconds' | 'forecastCost'>;
}

/**
 * Makes what the run file lacks; the first method is the full run. One untimed run goes first,
 * which makes pipelines and fills caches. Then prompt by prompt the full run and after it all
 * methods, every second time in reverse, so that a machine that slows down slows all of them.
 * @throws AppError `cancelled` after the signal; every picture that was done is in the file.
 */
export async function runBench(
  engine: Engine,
  subjects: readonly Subject[],
  methods: readonly Method[],
  file: BenchFile,
  { signal, pictures, onProgress }: BenchOptions,
): Promise<void> {
  const [full, ...others] = methods;
  const [warmUp] = subjects;
  if (!full || !warmUp) throw new RangeError('there is nothing to compare');
  const keyOf = (method: Method, n: number): LineKey =>
    lineKey(method, n, engine.manifest.calibration);
  const pictureOf = (method: Method, n: number): string | undefined =>
    pictures === undefined ? undefined : picturePath(pictures, method.id, n);
  const isDone = (method: Method, n: number): boolean => {
    const picture = pictureOf(method, n);
    return (
      file.find(keyOf(method, n)) !== undefined && (picture === undefined || existsSync(picture))
    );
  };
  const left = subjects.map((_, n) => methods.filter((method) => !isDone(method, n)));
  const clock = new Clock(left.flat(), subjects.length * methods.length, onProgress);
  if (left.flat().length === 0) return;

  await runMethod(engine, warmUp, { ...full, steps: Math.min(2, full.steps) }, signal);
  for (const [n, subject] of subjects.entries()) {
    if (left[n]!.length === 0) continue;
    let started = performance.now();
    const truth = await runMethod(engine, subject, full, signal);
    for (const method of [full, ...(n % 2 === 0 ? others : others.toReversed())]) {
      if (!left[n]!.includes(method)) continue;
      const sample = method === full ? truth : await runMethod(engine, subject, method, signal);
      const picture = pictureOf(method, n);
      if (picture !== undefined) await writePicture(picture, sample.picture);
      await file.append({ ...keyOf(method, n), ...compare(sample, truth) });
      clock.finished(method, (performance.now() - started) / 1000);
      started = performance.now();
    }
  }
}

/**
 * What finds the line of the n-th prompt by this method in a run file. What a calibration has no
 * part in stays done when the bundle is calibrated anew.
 */
export function lineKey(method: Method, n: number, calibration: Manifest['calibration']): LineKey {
  const { id, steps, sampler, cache, computeSteps } = method;
  const planned = cache.schedule !== 'interval' || cache.basis === 'auto';
  // Only tolerances go by how predicted errors compare with verified ones.
  const known = cache.schedule === 'tolerance' ? calibration : without(calibration);
  const all = [steps, sampler, cache, computeSteps, ...(planned ? [known] : [])];
  const settings = digest(all).slice(0, 16);
  return { case: n, method: id, settings };
}

function without(calibration: Manifest['calibration']): object | undefined {
  return calibration && { ...calibration, verified: undefined };
}

async function runMethod(
  engine: Engine,
  subject: Subject,
  method: Method,
  signal: AbortSignal,
): Promise<Sample> {
  const { steps, sampler, cache } = method;
  const compute: number[] = [];
  const forecast: number[] = [];
  const tap = new Tap(engine.backend);
  const picture = await generate(
    { ...engine, backend: tap },
    { ...subject, steps, sampler, cache, preview: false },
    {
      ...controlOf(method),
      signal,
      onEvent: (event) => {
        if (event.kind === 'step') (event.computed ? compute : forecast).push(event.seconds);
      },
    },
  );
  const { seconds, computeSteps } = picture.stats;
  const total = seconds.total - tap.readSeconds;
  return {
    picture,
    latents: tap.latents,
    line: {
      computed: computeSteps.length,
      calls: tap.calls,
      seconds: {
        total,
        denoise: total - seconds.text - (seconds.decode - tap.readSeconds),
      },
      forecastCost: forecast.length === 0 ? null : median(forecast) / median(compute),
    },
  };
}

function compare({ picture, latents, line }: Sample, truth: Sample): Omit<Line, keyof LineKey> {
  const { pixels, width, height } = picture;
  return {
    ...line,
    fullSeconds: truth.line.seconds,
    psnr: finite(psnr(pixels, truth.picture.pixels)),
    ssim: ssim(pixels, truth.picture.pixels, width, height),
    latentError: finite(relativeError(latents, truth.latents)),
  };
}

/** JSON has no other numbers. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Time left, from the time that compute steps have taken so far. */
class Clock {
  #seconds = 0;
  #workDone = 0;
  #workLeft: number;
  #done: number;

  constructor(
    left: readonly Method[],
    private readonly all: number,
    private readonly onProgress: (progress: Progress) => void,
  ) {
    this.#done = all - left.length;
    this.#workLeft = left.reduce((sum, method) => sum + workOf(method), 0);
  }

  finished(method: Method, seconds: number): void {
    this.#done++;
    this.#seconds += seconds;
    this.#workDone += workOf(method);
    this.#workLeft -= workOf(method);
    const secondsLeft = (this.#seconds / this.#workDone) * this.#workLeft;
    this.onProgress({ done: this.#done, all: this.all, secondsLeft });
  }
}

/** Compute steps, about. How many a tolerance takes is not known beforehand. */
function workOf({ budget, group, steps }: Method): number {
  return budget ?? (group === 'reference' ? steps : steps / 4);
}
