/** How much the picture changes when features are wrong at one step. */
import type { DenoiseRun } from '../../src/runtime/backend.ts';
import type { Sensitivity } from '../../src/forecast/calibration.ts';
import type { Engine } from '../../src/sampling/generate.ts';
import { gridOf, startingLatents } from '../../src/sampling/latents.ts';
import { guidanceOf } from '../../src/sampling/request.ts';
import { flowTimes, stepDeltas } from '../../src/sampling/scheduler.ts';
import { tokenize } from '../../src/prompt/tokenize.ts';
import type { Subject } from '../bench/run.ts';
import { mean, relativeError } from '../../src/shared/statistics.ts';

/** Every so many steps one is probed. */
const PROBED = 4;

/** Features are made wrong by so much of the change since the step before. */
const WRONG = 0.5;

/** By probed step, the first one first. */
export type StepGains = readonly (readonly [step: number, gain: number])[];

/**
 * For one picture: the relative error of the final latents per unit of flow time and relative
 * error of the features, when one step's features are wrong and all others are computed.
 */
export async function measureSensitivity(
  { backend, tokenizers, manifest }: Engine,
  subject: Subject,
  steps: number,
  onWork: (calls: number) => void,
): Promise<StepGains> {
  const grid = gridOf(subject, manifest);
  const times = flowTimes(steps, grid.rows * grid.columns, manifest.scheduler);
  const noise = startingLatents(subject.seed, grid, manifest.autoencoder.latentChannels);
  const tokens = tokenize(tokenizers, subject.prompt, manifest.text);
  const conditioning = await backend.encodeText(tokens);
  const options = { guidance: guidanceOf({}, manifest) };

  const advance = async (run: DenoiseRun, step: number): Promise<void> => {
    await run.head(times[step]!);
    await run.step(stepDeltas('euler', times, step));
    await run.settle();
  };
  const compute = async (run: DenoiseRun, from: number, to: number): Promise<void> => {
    for (let step = from; step < to; step++) {
      await run.runTrunk(times[step]!);
      await advance(run, step);
    }
    onWork(to - from);
  };

  const latents: Float32Array[] = [];
  const features: Float32Array[] = [];
  const whole = await backend.begin(noise, grid, conditioning, options);
  try {
    for (let step = 0; step < steps; step++) {
      latents.push(await whole.latents());
      await compute(whole, step, step + 1);
      features.push(await whole.anchor(0));
    }
    const truth = await whole.latents();
    const gains: [number, number][] = [];
    for (let step = 1; step < steps; step += PROBED) {
      const run = await backend.begin(latents[step - 1]!, grid, conditioning, options);
      try {
        await compute(run, step - 1, step);
        await run.runTrunk(times[step]!);
        await run.forecast([1 + WRONG, -WRONG]);
        await advance(run, step);
        await compute(run, step + 1, steps);
        const missed = relativeError(await run.latents(), truth);
        const wrong = WRONG * relativeError(features[step - 1]!, features[step]!);
        gains.push([step, missed / (wrong * (times[step]! - times[step + 1]!))]);
      } finally {
        run.dispose();
      }
    }
    return gains;
  } finally {
    whole.dispose();
    conditioning.dispose();
  }
}

/** Transformer calls of `measureSensitivity`, about. */
export function sensitivityCalls(steps: number): number {
  return steps + (steps * steps) / (2 * PROBED);
}

/** Geometric means over pictures. */
export function meanSensitivity(
  pictures: readonly StepGains[],
  flowTimes: ArrayLike<number>,
): Sensitivity {
  return {
    flowTimes: pictures[0]!.map(([step]) => flowTimes[step]!),
    gains: pictures[0]!.map((_, i) =>
      Math.exp(mean(pictures.map((gains) => Math.log(Math.max(gains[i]![1], 1e-9))))),
    ),
  };
}
