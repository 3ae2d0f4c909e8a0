import { expect, type TestContext } from 'vitest';
import { storageBuffer } from '../../src/gpu/buffers.ts';
import { requestAdapter, requestDevice } from '../../src/gpu/device.ts';
import { floatsToHalves, halvesToFloats } from '../../src/shared/half.ts';
import { nodeGpu } from '../../src/node/gpu.ts';

export const PRECISIONS = ['float32', 'float16'] as const;

/**
 * The smallest half that is not subnormal: shaders may take what is smaller for zero, and nothing
 * at all lies below 2^-24.
 */
export const SMALLEST_HALF = 2 ** -14;

/** The nearest halves, of which none is subnormal. */
export function normalHalves(values: Float32Array): Float32Array {
  return halvesToFloats(floatsToHalves(values)).map((x) => (Math.abs(x) < SMALLEST_HALF ? 0 : x));
}

/**
 * Skips a test of float16 where shaders cannot compute in it, and says so. `npm run test:float16`
 * runs on a GPU that can, and takes a skipped test for a failure.
 */
export async function needsShaders(
  precision: (typeof PRECISIONS)[number],
  { skip, annotate, task }: TestContext,
): Promise<void> {
  if (precision === 'float32') return;
  const adapter = await requestAdapter(nodeGpu());
  if (adapter?.features.has('shader-f16')) return;
  const note = `NOT RUN: ${task.name} in float16, because this GPU has no shader-f16.`;
  console.warn(note);
  await annotate(note);
  skip(note);
}

/**
 * A device of this machine's GPU, or of a software one. Without any adapter the test fails: it
 * must not pass for want of a GPU.
 */
export async function testDevice(subgroups = false): Promise<GPUDevice> {
  const adapter = await requestAdapter(nodeGpu());
  expect(
    adapter,
    'a WebGPU adapter; without a GPU, install Chromium for its SwiftShader',
  ).toBeTruthy();
  const device = await requestDevice(adapter!, subgroups);
  device.addEventListener('uncapturederror', ({ error }) => {
    throw new Error(`The GPU refused a command: ${error.message}`);
  });
  return device;
}

/** A buffer that starts with `data`, padded as the backend pads its own. */
export function filledBuffer(
  device: GPUDevice,
  label: string,
  data: Float32Array | Uint16Array,
): GPUBuffer {
  const buffer = storageBuffer(device, label, data.byteLength);
  // Written whole: a queue writes multiples of four bytes.
  const bytes = new Uint8Array(buffer.size);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  device.queue.writeBuffer(buffer, 0, bytes);
  return buffer;
}

export async function readBytes(device: GPUDevice, buffer: GPUBuffer): Promise<ArrayBuffer> {
  const staging = device.createBuffer({
    label: 'test read back',
    size: buffer.size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return staging.getMappedRange().slice(0);
  } finally {
    staging.destroy();
  }
}
