import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import { forecast } from '../../src/runtime/cpu/forecast.ts';
import { floatsToHalves, halvesToFloats } from '../../src/shared/half.ts';
import { storageBuffer } from '../../src/gpu/buffers.ts';
import { ForecastKernel, MOST_ANCHORS } from '../../src/runtime/webgpu/kernels/forecast.ts';
import type { Precision } from '../../src/gpu/precision.ts';
import {
  filledBuffer,
  needsShaders,
  normalHalves,
  readBytes,
  SMALLEST_HALF,
  testDevice,
} from './support.ts';

const source = readFileSync('shaders/forecast.wgsl', 'utf8');
let device: GPUDevice;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.destroy());

async function onGpu(
  kernel: ForecastKernel,
  precision: Precision,
  weights: readonly number[],
  anchors: readonly Float32Array[],
): Promise<Float32Array> {
  const length = anchors[0]!.length;
  const bytes = (precision === 'float16' ? 2 : 4) * length;
  const buffers = anchors.map((anchor) =>
    filledBuffer(device, 'anchor', precision === 'float16' ? floatsToHalves(anchor) : anchor),
  );
  const output = storageBuffer(device, 'output', bytes);
  try {
    kernel.setWeights(weights);
    const encoder = device.createCommandEncoder();
    kernel.run(encoder, buffers, output);
    device.queue.submit([encoder.finish()]);
    const result = await readBytes(device, output);
    return precision === 'float16'
      ? halvesToFloats(new Uint16Array(result, 0, length))
      : new Float32Array(result, 0, length);
  } finally {
    for (const buffer of [...buffers, output]) buffer.destroy();
  }
}

/** The sum of the terms' sizes: what rounding errors are relative to. */
function scaleOf(weights: readonly number[], anchors: readonly Float32Array[]): Float32Array {
  const scale = new Float32Array(anchors[0]!.length);
  forecast(
    weights.map(Math.abs),
    anchors.map((anchor) => anchor.map(Math.abs)),
    scale,
  );
  return scale;
}

function expectClose(
  actual: Float32Array,
  weights: readonly number[],
  anchors: readonly Float32Array[],
  tolerance: number,
  smallest: number,
): void {
  const expected = new Float32Array(actual.length);
  forecast(weights, anchors, expected);
  const scale = scaleOf(weights, anchors);
  const wrong = expected.findIndex(
    (value, i) => !(Math.abs(actual[i]! - value) <= tolerance * scale[i]! + smallest),
  );
  expect(wrong, `number ${wrong}: ${actual[wrong]} instead of ${expected[wrong]}`).toBe(-1);
}

const problems = fc
  .record({
    count: fc.integer({ min: 1, max: MOST_ANCHORS }),
    length: fc.oneof(fc.constantFrom(1, 3, 255, 257, 1024), fc.integer({ min: 1, max: 3000 })),
    seed: fc.integer(),
  })
  .chain(({ count, length, seed }) =>
    fc.record({
      weights: fc.array(fc.double({ min: -8, max: 8, noNaN: true }), {
        minLength: count,
        maxLength: count,
      }),
      anchors: fc.constant(
        Array.from({ length: count }, (_, j) =>
          Float32Array.from({ length }, (_, i) => 3 * Math.sin(seed + 13 * j + 1.7 * i)),
        ),
      ),
    }),
  );

describe('forecast.wgsl, float32', () => {
  test('equals the reference for any weights, count and length', async () => {
    // Three workgroups to a row, so that most lengths need several rows.
    const kernel = await ForecastKernel.create(device, source, 'float32', 3);
    await fc.assert(
      fc.asyncProperty(problems, async ({ weights, anchors }) => {
        const actual = await onGpu(kernel, 'float32', weights, anchors);
        expectClose(actual, weights, anchors, 1e-6, 1e-30);
      }),
      { numRuns: 60 },
    );
    kernel.dispose();
  });

  test('more than 65535 workgroups', async () => {
    const kernel = await ForecastKernel.create(device, source, 'float32');
    const length = 4 * 64 * 65535 + 4 * 64 + 5;
    const anchor = Float32Array.from({ length }, (_, i) => i % 1021);
    const actual = await onGpu(kernel, 'float32', [0.5], [anchor]);
    expect(actual.findIndex((value, i) => value !== (i % 1021) / 2)).toBe(-1);
    kernel.dispose();
  });

  test('anchors beyond the weights count for nothing, even infinite ones', async () => {
    const kernel = await ForecastKernel.create(device, source, 'float32');
    await onGpu(
      kernel,
      'float32',
      [1, 1, 1],
      [1, 2, 3].map((x) => Float32Array.of(x)),
    );
    const actual = await onGpu(
      kernel,
      'float32',
      [2],
      [Float32Array.of(5), Float32Array.of(Infinity)],
    );
    expect([...actual]).toEqual([10]);
    kernel.dispose();
  });

  test('refuses no weights and more than it binds', async () => {
    const kernel = await ForecastKernel.create(device, source, 'float32');
    expect(() => kernel.setWeights([])).toThrow(RangeError);
    expect(() => kernel.setWeights(new Array<number>(MOST_ANCHORS + 1).fill(1))).toThrow(
      RangeError,
    );
    kernel.dispose();
  });
});

describe('forecast.wgsl, float16', () => {
  test('compiles for a device with shader-f16', async () => {
    // Dawn's null backend has every feature and compiles without a GPU.
    const adapter = await create(['backend=null']).requestAdapter();
    const anywhere = await adapter!.requestDevice({ requiredFeatures: ['shader-f16'] });
    await expect(ForecastKernel.create(anywhere, source, 'float16')).resolves.toBeTruthy();
    anywhere.destroy();
  });

  test('equals the reference', async (context) => {
    await needsShaders('float16', context);
    const kernel = await ForecastKernel.create(device, source, 'float16', 3);
    await fc.assert(
      fc.asyncProperty(problems, async ({ weights, anchors }) => {
        const halves = anchors.map(normalHalves);
        const actual = await onGpu(kernel, 'float16', weights, halves);
        // One rounding of the result to 11 bits, relative to no less than its terms' sum.
        expectClose(actual, weights, halves, 2 ** -11 + 1e-6, SMALLEST_HALF);
      }),
      { numRuns: 60 },
    );
    kernel.dispose();
  });

  test('results too small for half precision come out as zero or nearly', async (context) => {
    await needsShaders('float16', context);
    const kernel = await ForecastKernel.create(device, source, 'float16');
    const anchors = [Float32Array.of(1, -1, 3, 0)];
    for (const weight of [2 ** -13, 2 ** -15, 2 ** -24, 2 ** -26, 1e-30, 5e-324]) {
      const actual = await onGpu(kernel, 'float16', [weight], anchors);
      expectClose(actual, [weight], anchors, 2 ** -11, SMALLEST_HALF);
    }
    kernel.dispose();
  });
});
