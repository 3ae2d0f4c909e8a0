import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eulerStep } from '../../src/runtime/cpu/euler_step.ts';
import { EulerStepKernel } from '../../src/runtime/webgpu/kernels/euler_step.ts';
import { filledBuffer, readBytes, testDevice } from './support.ts';

const source = readFileSync('shaders/euler_step.wgsl', 'utf8');
let device: GPUDevice;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.destroy());

test('equals the reference for any length and step, and leaves the velocity alone', async () => {
  // Three workgroups to a row, so that most lengths need several rows.
  const kernel = await EulerStepKernel.create(device, source, 3);
  const problems = fc.record({
    length: fc.oneof(fc.constantFrom(1, 3, 257), fc.integer({ min: 1, max: 3000 })),
    deltaSigma: fc.double({ min: -1, max: 1, noNaN: true }),
    seed: fc.integer(),
  });
  await fc.assert(
    fc.asyncProperty(problems, async ({ length, deltaSigma, seed }) => {
      const latents = Float32Array.from({ length }, (_, i) => 4 * Math.sin(seed + i));
      const velocity = Float32Array.from({ length }, (_, i) => 4 * Math.cos(seed + 3 * i));
      const buffers = [
        filledBuffer(device, 'latents', latents),
        filledBuffer(device, 'velocity', velocity),
      ] as const;
      kernel.setDeltaSigma(deltaSigma);
      const encoder = device.createCommandEncoder();
      kernel.run(encoder, ...buffers);
      device.queue.submit([encoder.finish()]);
      const [actual, untouched] = await Promise.all(
        buffers.map(async (buffer) => new Float32Array(await readBytes(device, buffer), 0, length)),
      );
      for (const buffer of buffers) buffer.destroy();

      const expected = latents.slice();
      eulerStep(expected, velocity, deltaSigma);
      // Latents are at most 4 and so is the step: 1e-6 of the terms' sum.
      const wrong = expected.findIndex((value, i) => !(Math.abs(actual![i]! - value) <= 8e-6));
      expect(wrong, `${actual![wrong]} instead of ${expected[wrong]}`).toBe(-1);
      expect(untouched).toEqual(velocity);
    }),
    { numRuns: 40 },
  );
  kernel.dispose();
});
