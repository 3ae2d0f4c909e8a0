/**
 * Flow-match Euler sampling (diffusers' FlowMatchEulerDiscreteScheduler as FluxPipeline calls it).
 * Flow time sigma runs from 1, noise, to 0, the picture.
 */
import type { Manifest } from '../bundle/manifest.ts';

/** `euler` as diffusers' pipeline; `adams` is the second-order multistep method. */
export const SAMPLERS = ['euler', 'adams'] as const;
export type Sampler = (typeof SAMPLERS)[number];

type SchedulerConfig = Manifest['scheduler'];

/**
 * Flow times of all steps and the terminal 0: [steps + 1]. Step i goes from entry i to i + 1.
 * Evenly spaced from 1 to 1/steps, then shifted towards noise.
 */
export function flowTimes(
  steps: number,
  imageTokens: number,
  config: SchedulerConfig,
): Float32Array<ArrayBuffer> {
  const shift = shiftFor(imageTokens, config);
  const sigmas = new Float32Array(steps + 1);
  for (let i = 0; i < steps; i++) {
    const even = 1 - i / steps;
    // exp(mu) / (exp(mu) + 1/t - 1) and shift*t / (1 + (shift - 1)*t) are the same function.
    sigmas[i] = (shift * even) / (1 + (shift - 1) * even);
  }
  return sigmas;
}

/** The timestep shift for pictures of so many tokens. */
export function shiftFor(imageTokens: number, config: SchedulerConfig): number {
  return config.useDynamicShifting ? Math.exp(dynamicMu(imageTokens, config)) : config.shift;
}

/** Larger pictures keep more noise: mu is linear in their tokens (diffusers' `calculate_shift`). */
function dynamicMu(imageTokens: number, config: SchedulerConfig): number {
  const { baseShift, maxShift, baseImageTokens, maxImageTokens } = config;
  const slope = (maxShift - baseShift) / (maxImageTokens - baseImageTokens);
  return baseShift + slope * (imageTokens - baseImageTokens);
}

/**
 * What step `step` adds: this many times the velocity there and, for the two-step method, the
 * velocity of the step before.
 *
 * - `euler`: h·vₙ with h = tₙ₊₁ − tₙ.
 * - `adams`: Adams-Bashforth of second order on uneven steps (Hairer, Nørsett, Wanner, Solving
 *   Ordinary Differential Equations I, section III.5): h·((1 + r/2)·vₙ − r/2·vₙ₋₁) with
 *   r = h/(tₙ − tₙ₋₁). On a flow's velocities it is what DPM-Solver++(2M) does in another
 *   parametrization. The first step is Euler's.
 */
export function stepDeltas(sampler: Sampler, flowTimes: ArrayLike<number>, step: number): number[] {
  const h = flowTimes[step + 1]! - flowTimes[step]!;
  if (sampler === 'euler' || step === 0) return [h];
  const r = h / (flowTimes[step]! - flowTimes[step - 1]!);
  return [h * (1 + r / 2), (-h * r) / 2];
}
