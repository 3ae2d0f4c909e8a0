/**
 * Flow-match Euler sampling (diffusers' FlowMatchEulerDiscreteScheduler as FluxPipeline calls it).
 * Flow time sigma runs from 1, noise, to 0, the picture.
 */
import type { Manifest } from '../bundle/manifest.ts';

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
  const shift = config.useDynamicShifting ? Math.exp(dynamicMu(imageTokens, config)) : config.shift;
  const sigmas = new Float32Array(steps + 1);
  for (let i = 0; i < steps; i++) {
    const even = 1 - i / steps;
    // exp(mu) / (exp(mu) + 1/t - 1) and shift*t / (1 + (shift - 1)*t) are the same function.
    sigmas[i] = (shift * even) / (1 + (shift - 1) * even);
  }
  return sigmas;
}

/** Larger pictures keep more noise: mu is linear in their tokens (diffusers' `calculate_shift`). */
function dynamicMu(imageTokens: number, config: SchedulerConfig): number {
  const { baseShift, maxShift, baseImageTokens, maxImageTokens } = config;
  const slope = (maxShift - baseShift) / (maxImageTokens - baseImageTokens);
  return baseShift + slope * (imageTokens - baseImageTokens);
}
