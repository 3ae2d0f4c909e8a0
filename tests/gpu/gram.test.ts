import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import { gram } from '../../src/runtime/cpu/gram.ts';
import { storageBuffer } from '../../src/gpu/buffers.ts';
import {
  GramKernel,
  MOST_VECTORS,
  RESULT_BYTES,
  rowsOf,
} from '../../src/runtime/webgpu/kernels/gram.ts';
import type { Precision } from '../../src/gpu/precision.ts';
import { floatsToHalves } from '../../src/shared/half.ts';
import { needsShaders, normalHalves, readBytes, testDevice } from './support.ts';

const source = readFileSync('shaders/gram.wgsl', 'utf8');
let device: GPUDevice;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.destroy());

/** A buffer as ONNX Runtime may leave it: whatever it likes in the padding. */
function anchorBuffer(anchor: Float32Array, precision: Precision): GPUBuffer {
  const numbers = precision === 'float16' ? floatsToHalves(anchor) : anchor;
  const buffer = storageBuffer(device, 'anchor', numbers.byteLength);
  const all =
    precision === 'float16'
      ? new Uint16Array(buffer.size / 2).fill(0x7e00)
      : new Float32Array(buffer.size / 4).fill(NaN);
  all.set(numbers);
  device.queue.writeBuffer(buffer, 0, all);
  return buffer;
}

/** All that the kernel writes, for the newest of `anchors` and `older` others. */
async function onGpu(
  kernel: GramKernel,
  precision: Precision,
  anchors: readonly Float32Array[],
  older = anchors.length - 1,
): Promise<Float32Array> {
  const { length } = anchors[0]!;
  const buffers = anchors.map((anchor) => anchorBuffer(anchor, precision));
  const result = storageBuffer(device, 'result', RESULT_BYTES);
  try {
    kernel.setExtent(older, length);
    const encoder = device.createCommandEncoder();
    kernel.run(encoder, buffers, length, result);
    device.queue.submit([encoder.finish()]);
    return new Float32Array(await readBytes(device, result));
  } finally {
    for (const buffer of [...buffers, result]) buffer.destroy();
  }
}

/** The differences e₀ = A₀, eᵢ = Aᵢ₋₁ - Aᵢ without their signs: rounding is relative to them. */
function sizesOf(anchors: readonly Float32Array[]): Float64Array[] {
  return anchors.map((anchor, i) =>
    Float64Array.from(anchor, (value, n) =>
      Math.abs(i === 0 ? value : anchors[i - 1]![n]! - value),
    ),
  );
}

function expectClose(columns: Float32Array, anchors: readonly Float32Array[]): void {
  const actual = rowsOf(columns, anchors.length - 1);
  const expected = gram(anchors);
  const sizes = sizesOf(anchors);
  let at = 0;
  for (let i = 0; i < anchors.length; i++) {
    for (let j = i; j < anchors.length; j++) {
      const scale = sizes[i]!.reduce((sum, size, n) => sum + size * sizes[j]![n]!, 0);
      // Two differences and a product are rounded once each, then a number goes through at most
      // 4 sums in a dot product, 7 in a stride of these lengths, 6 and 6 by halves and 4 over
      // rows: 30 roundings to 24 bits, relative to no more than the sum of the terms' sizes.
      const error = Math.abs(actual[at]! - expected[at]!);
      const what = `(${i},${j}): ${actual[at]} instead of ${expected[at]}`;
      expect(error, what).toBeLessThanOrEqual(30 * 2 ** -24 * scale + 1e-30);
      at++;
    }
  }
}

/** Features of one run: large, and each a little off the one before. */
function features(count: number, length: number, seed: number): Float32Array[] {
  return Array.from({ length: count }, (_, j) =>
    Float32Array.from(
      { length },
      (_, n) => 5 * Math.sin(seed + 1.7 * n) + 0.1 * Math.sin(seed * j + 2.3 * n + 13 * j),
    ),
  );
}

const problems = fc.record({
  count: fc.integer({ min: 1, max: MOST_VECTORS }),
  // The last needs several strides of all workgroups.
  length: fc.oneof(
    fc.constantFrom(1, 3, 255, 257, 1024, 4 * 64 * 256 * 3 + 5),
    fc.integer({ min: 1, max: 5000 }),
  ),
  seed: fc.integer({ min: -1000, max: 1000 }),
});

describe('gram.wgsl, float32', () => {
  let kernel: GramKernel;
  beforeAll(async () => {
    kernel = await GramKernel.create(device, source, 'float32');
  });
  afterAll(() => kernel.dispose());

  test('equals the reference for any count and length, whatever is in the padding', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ({ count, length, seed }) => {
        const anchors = features(count, length, seed);
        expectClose(await onGpu(kernel, 'float32', anchors), anchors);
      }),
      { numRuns: 60 },
    );
  });

  test('gives the same bits every time, from another kernel too', async () => {
    const anchors = features(MOST_VECTORS, 300_001, 3);
    const first = await onGpu(kernel, 'float32', anchors);
    // Work of another shape in between leaves nothing behind.
    await onGpu(kernel, 'float32', features(3, 77, 9));
    const other = await GramKernel.create(device, source, 'float32');
    for (const again of [kernel, other]) {
      const bits = new Uint32Array((await onGpu(again, 'float32', anchors)).buffer);
      expect(bits).toEqual(new Uint32Array(first.buffer));
    }
    other.dispose();
  });

  test('anchors beyond those asked for count for nothing, even infinite ones', async () => {
    const anchors = features(4, 1000, 1);
    const infinite = new Float32Array(1000).fill(Infinity);
    for (let older = 0; older < 4; older++) {
      const columns = await onGpu(kernel, 'float32', [...anchors, infinite, infinite], older);
      const asked = anchors.slice(0, older + 1);
      expectClose(columns, asked);
      const products = (asked.length * (asked.length + 1)) / 2;
      expect([...columns.slice(products)]).toEqual(new Array(columns.length - products).fill(0));
    }
  });

  test.each([NaN, Infinity, -Infinity])('%f anywhere in a feature shows', async (value) => {
    const length = 70_001;
    for (let bad = 0; bad < MOST_VECTORS; bad++) {
      const anchors = features(MOST_VECTORS, length, bad);
      anchors[bad]![(bad * 10_007) % length] = value;
      const products = rowsOf(await onGpu(kernel, 'float32', anchors), MOST_VECTORS - 1);
      const finite = gram(anchors).map((product) => Number(Number.isFinite(product)));
      expect(products.map((product) => Number(Number.isFinite(product)))).toEqual(finite);
      expect(finite).toContain(0);
    }
  });

  test('refuses more anchors than it binds, and none', () => {
    for (const older of [-1, 0.5, MOST_VECTORS]) {
      expect(() => kernel.setExtent(older, 4)).toThrow(RangeError);
    }
    const result = storageBuffer(device, 'result', RESULT_BYTES);
    const encoder = device.createCommandEncoder();
    expect(() => kernel.run(encoder, [], 4, result)).toThrow(RangeError);
    result.destroy();
  });
});

describe('gram.wgsl, float16', () => {
  test('compiles for a device with shader-f16', async () => {
    // Dawn's null backend has every feature and compiles without a GPU.
    const adapter = await create(['backend=null']).requestAdapter();
    const anywhere = await adapter!.requestDevice({ requiredFeatures: ['shader-f16'] });
    await expect(GramKernel.create(anywhere, source, 'float16')).resolves.toBeTruthy();
    anywhere.destroy();
  });

  test('equals the reference', async (context) => {
    await needsShaders('float16', context);
    const kernel = await GramKernel.create(device, source, 'float16');
    await fc.assert(
      fc.asyncProperty(problems, async ({ count, length, seed }) => {
        const anchors = features(count, length, seed).map(normalHalves);
        // Differences and sums are in f32, so nothing is lost but the halves' own rounding.
        expectClose(await onGpu(kernel, 'float16', anchors), anchors);
      }),
      { numRuns: 60 },
    );
    kernel.dispose();
  });
});
