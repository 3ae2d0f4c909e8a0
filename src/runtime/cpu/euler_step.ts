/**
 * latents += deltaSigma * velocity, in place: one step of the flow's ODE, and the reference for
 * shaders/euler_step.wgsl.
 */
export function eulerStep(latents: Float32Array, velocity: Float32Array, deltaSigma: number): void {
  for (let i = 0; i < latents.length; i++) latents[i]! += deltaSigma * velocity[i]!;
}
