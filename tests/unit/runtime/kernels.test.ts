import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eulerStep } from '../../../src/runtime/cpu/euler_step.ts';
import { forecast } from '../../../src/runtime/cpu/forecast.ts';
import { dispatchGrid } from '../../../src/gpu/kernel.ts';

test('forecast is the weighted sum, whatever the output held', () => {
  const output = new Float32Array([9, 9]);
  forecast(
    [2, -0.5],
    [Float32Array.of(1, 2), Float32Array.of(4, 8), Float32Array.of(7, 7)],
    output,
  );
  expect([...output]).toEqual([0, 0]);
  forecast([1, 0.25], [Float32Array.of(1, 2), Float32Array.of(4, 8)], output);
  expect([...output]).toEqual([2, 4]);
});

test('more weights than anchors is an error', () => {
  expect(() => forecast([1, 1], [new Float32Array(1)], new Float32Array(1))).toThrow(RangeError);
});

test('an Euler step changes the latents in place', () => {
  const latents = Float32Array.of(1, 2);
  eulerStep(latents, Float32Array.of(4, -4), -0.25);
  expect([...latents]).toEqual([0, 3]);
});

test('a dispatch covers all workgroups within the limits, and no row for nothing', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 2 ** 22 }), fc.integer({ min: 64, max: 65535 }));
  fc.assert(
    fc.property(sizes, ([workgroups, limit]) => {
      const [x, y] = dispatchGrid(workgroups, limit);
      expect(x).toBeLessThanOrEqual(limit);
      expect(x * y).toBeGreaterThanOrEqual(workgroups);
      expect(x * (y - 1)).toBeLessThan(workgroups);
    }),
  );
});
