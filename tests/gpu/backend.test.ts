import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Backend } from '../../src/runtime/backend.ts';
import { activationBytes } from '../../src/runtime/memory/activations.ts';
import { type BackendOptions, chooseBackend } from '../../src/runtime/choose.ts';
import { limitsFor } from '../../src/runtime/options.ts';
import { partsOf } from '../../src/runtime/memory/parts.ts';
import { createWebGpuBackend } from '../../src/runtime/webgpu/backend.ts';
import { precisionOf } from '../../src/gpu/device.ts';
import { WebGpuSessions } from '../../src/runtime/webgpu/sessions.ts';
import { DeviceWatch } from '../../src/gpu/watch.ts';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { MAX_ANCHORS } from '../../src/forecast/settings.ts';
import { GraphBuilder } from '../../src/convert/graphs/builder.ts';
import { guidanceOf } from '../../src/sampling/request.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { nodeHost } from '../../src/node/ort.ts';
import { expectFollowed, expectRefusals } from '../unit/runtime/expect-backend.ts';
import {
  beginOn,
  deviation,
  formulaBundle,
  runByHand,
  runOn,
} from '../unit/runtime/formula-bundle.ts';
import { testDevice } from './support.ts';

/** Shares of the largest value; half precision keeps 11 bits. */
const TOLERANCE = { float32: 1e-5, float16: 5e-3 } as const;

const about = { adapter: 'test', reason: 'It is under test.' };

/** Without the self-test, which has a test of its own. */
async function webGpuBackend(
  bundle: Bundle,
  device: GPUDevice,
  options: BackendOptions = {},
): Promise<Backend> {
  const host = await nodeHost();
  const { ort } = await host.ort.webgpu();
  const opened = { ort, readsBlobs: false, watch: new DeviceWatch(device) };
  const limits = limitsFor('webgpu', host, options);
  return createWebGpuBackend(bundle, host, opened, about, limits);
}

test('the WebGPU backend does what its graphs say, step by step', async () => {
  const backend = await webGpuBackend(formulaBundle(), await testDevice());
  try {
    await expectFollowed(backend, TOLERANCE[backend.info.precision]);
  } finally {
    await backend.dispose();
  }
});

test('calls for what is not there are errors', async () => {
  const backend = await webGpuBackend(formulaBundle(), await testDevice());
  try {
    await expectRefusals(backend);
  } finally {
    await backend.dispose();
  }
});

describe('a model in segments', () => {
  const model = { segments: 2, textSegments: 2, guidance: true, previewer: true } as const;

  test('is the same picture streamed and all resident', async () => {
    const bundle = formulaBundle(model);
    const device = await testDevice();
    const precision = precisionOf(device);
    const parts = partsOf(bundle.manifest, precision);
    const largest = Math.max(...parts.map(({ bytes }) => bytes));
    const head = parts.find(({ component }) => component === 'head')!;
    // Room for one segment beside the head.
    const memoryBudget = activationBytes(bundle.manifest, precision).denoise + head.bytes + largest;

    const resident = await webGpuBackend(bundle, await testDevice());
    const streaming = await webGpuBackend(bundle, device, { memoryBudget });
    try {
      const trunkOf = ({ info }: Backend) =>
        info.residency.components.find(({ component }) => component === 'trunk');
      expect(trunkOf(resident)).toMatchObject({ use: 'resident' });
      expect(trunkOf(streaming)).toMatchObject({ use: 'streamed' });
      const whole = await expectFollowed(resident, TOLERANCE[precision], 3);
      const streamed = await expectFollowed(streaming, TOLERANCE[precision], 3);
      expect(whole.preview).toBeDefined();
      expect({ ...streamed, preview: whole.preview }).toEqual(whole);
    } finally {
      await resident.dispose();
      await streaming.dispose();
    }
  });
});

/** Bytes of the buffers that are made on a device and not yet destroyed. */
function watchBuffers(device: GPUDevice): () => number {
  const live = new Map<GPUBuffer, number>();
  const prototype = Object.getPrototypeOf(device) as GPUDevice;
  const { createBuffer } = prototype;
  vi.spyOn(prototype, 'createBuffer').mockImplementation(function (this: GPUDevice, descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    live.set(buffer, descriptor.size);
    return buffer;
  });
  const { destroy } = GPUBuffer.prototype;
  vi.spyOn(GPUBuffer.prototype, 'destroy').mockImplementation(function (this: GPUBuffer) {
    live.delete(this);
    return destroy.call(this);
  });
  return () => [...live.values()].reduce((sum, bytes) => sum + bytes, 0);
}

test('what is released gives its weights back to the GPU', async () => {
  const host = await nodeHost();
  const { ort } = await host.ort.webgpu();
  const device = await testDevice();
  const liveBytes = watchBuffers(device);
  const convolution = () => host.selfTestFile('convolution.onnx');
  const sessions = new WebGpuSessions(ort, new DeviceWatch(device), false, convolution);
  const place = { last: true, sparing: true };
  const open = (megabytes: number) => sessions.create(weightsGraph(megabytes), [], place);
  const small = await open(0.25);
  const before = liveBytes();
  for (let round = 0; round < 3; round++) {
    const large = await open(8);
    expect(liveBytes()).toBeGreaterThanOrEqual(before + 8e6);
    await sessions.release(large, place);
    expect(liveBytes(), `round ${round}`).toBeLessThan(before + 1e6);
  }
  await sessions.release(small, place);
  device.destroy();
});

/** A graph with that many MB of weights. */
function weightsGraph(megabytes: number): Uint8Array {
  const graph = new GraphBuilder('weights', 'float32');
  const rows = megabytes * 1000;
  const input = graph.input('input', 'float32', [1, rows]);
  const weights = graph.floats('weights', [rows, 250], new Float32Array(rows * 250), 'float32');
  graph.output('output', 'float32', [1, 250], graph.op('MatMul', [input, weights]));
  return graph.encode();
}

/**
 * Holds up every mapping of a gram's result before it starts, or as it starts.
 *
 * @returns `waiting` resolves when a mapping is held up, `open` lets it and later ones go on
 */
function gateGrams(when: 'before' | 'after start') {
  let open!: () => void;
  let started!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const waiting = new Promise<void>((resolve) => (started = resolve));
  const { mapAsync } = GPUBuffer.prototype;
  vi.spyOn(GPUBuffer.prototype, 'mapAsync').mockImplementation(async function (
    this: GPUBuffer,
    ...mode: Parameters<typeof mapAsync>
  ) {
    if (!this.label.startsWith('gram')) return mapAsync.apply(this, mode);
    if (when === 'after start') {
      const mapped = mapAsync.apply(this, mode);
      started();
      return mapped;
    }
    started();
    await opened;
    return mapAsync.apply(this, mode);
  });
  return { waiting, open };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a gram that has not been read back', () => {
  test('holds nothing up and is changed by nothing that follows', async () => {
    const backend = await webGpuBackend(formulaBundle(), await testDevice());
    const { run, conditioning } = await beginOn(backend);
    try {
      await run.runTrunk(1);
      await run.runTrunk(0.5);
      const expected = await run.gram(1);

      const { waiting, open } = gateGrams('before');
      const pending = run.gram(1);
      await waiting;
      // Enough compute steps to write over every anchor that it reads.
      for (let i = 0; i <= MAX_ANCHORS; i++) await run.runTrunk(0.3);
      await run.forecast([2, -1]);
      await run.head(0.3);
      await run.step([-0.1]);
      await run.settle();
      expect(await run.latents()).toHaveLength(await run.estimate(0.2).then((x) => x.length));
      open();
      expect(await pending).toEqual(expected);
    } finally {
      run.dispose();
      conditioning.dispose();
      await backend.dispose();
    }
  });

  test('is cancelled with its run, and the backend goes on', async () => {
    const backend = await webGpuBackend(formulaBundle(), await testDevice());
    try {
      const { run, conditioning } = await beginOn(backend);
      await run.runTrunk(1);
      const { waiting } = gateGrams('after start');
      const mapping = run.gram(0);
      await waiting;
      const queued = run.gram(0);
      run.dispose();
      await expect(mapping).rejects.toMatchObject({ code: 'cancelled' });
      await expect(queued).rejects.toMatchObject({ code: 'cancelled' });
      await expect(run.gram(0)).rejects.toMatchObject({ code: 'cancelled' });
      conditioning.dispose();
      // Also: nothing was refused by the GPU, which would be said by `settle` in this run.
      await expectFollowed(backend, TOLERANCE[backend.info.precision]);
    } finally {
      await backend.dispose();
    }
  });

  test('rejects when the device is lost', async () => {
    const device = await testDevice();
    const backend = await webGpuBackend(formulaBundle(), device);
    const { run } = await beginOn(backend);
    await run.runTrunk(1);
    const { waiting } = gateGrams('after start');
    const mapping = run.gram(0);
    await waiting;
    const queued = run.gram(0);
    device.destroy();
    await expect(mapping).rejects.toMatchObject({ code: 'device-lost' });
    await expect(queued).rejects.toMatchObject({ code: 'device-lost' });
    await expect(run.gram(0)).rejects.toMatchObject({ code: 'device-lost' });
  });
});

test('a lost device is said so, and the next device works', async () => {
  const device = await testDevice();
  const backend = await webGpuBackend(formulaBundle(), device);
  device.destroy();
  await device.lost;
  await expect(runOn(backend)).rejects.toMatchObject({ code: 'device-lost' });

  const next = await webGpuBackend(formulaBundle(), await testDevice());
  expect(deviation((await runOn(next)).latents, runByHand().latents)).toBeLessThan(
    TOLERANCE[next.info.precision],
  );
  await next.dispose();
});

// The model that comes with the project, or the one of POCKET_BUNDLE, on a grid of a few tokens:
// enough for every graph, and little enough for a GPU in software.
test('WebGPU and CPU backends agree on the pocket model', async () => {
  const bundle = await openBundleFolder(process.env.POCKET_BUNDLE ?? 'public/models/pocket');
  const gpu = await follow(await webGpuBackend(bundle, await testDevice()), bundle);
  const cpu = await follow(await chooseBackend('cpu', bundle, await nodeHost()), bundle);
  const tolerance = gpu.precision === 'float32' ? 1e-4 : 2e-2;
  expect(deviation(gpu.computed, cpu.computed)).toBeLessThan(tolerance);
  expect(deviation(gpu.forecast, cpu.forecast)).toBeLessThan(tolerance);
  expect(deviation(gpu.pixels, cpu.pixels)).toBeLessThanOrEqual(
    gpu.precision === 'float32' ? 1 / 255 : 8 / 255,
  );
}, 240_000);

async function follow(backend: Backend, { manifest }: Bundle) {
  const grid = { rows: 2, columns: 3 };
  const noise = Float32Array.from({ length: 6 * manifest.transformer.latentWidth }, (_, i) =>
    Math.sin(12.9898 * (i + 1)),
  );
  const ids = (length: number) => Int32Array.from({ length }, (_, i) => 1 + (i % 5));
  try {
    const conditioning = await backend.encodeText({
      t5: ids(manifest.text.t5Tokens),
      clip: ids(manifest.text.clipTokens),
      clipEnd: 4,
    });
    const options = { guidance: guidanceOf({}, manifest) };
    const run = await backend.begin(noise, grid, conditioning, options);
    await run.runTrunk(1);
    await run.head(1);
    await run.step([-0.25]);
    await run.runTrunk(0.75);
    await run.head(0.75);
    const computed = await run.estimate(0.75);
    await run.step([-0.3, 0.05]);
    await run.forecast([1.5, -0.5]);
    await run.head(0.5);
    const forecast = await run.estimate(0.5);
    const { pixels } = await run.decode();
    run.dispose();
    conditioning.dispose();
    return { precision: backend.info.precision, computed, forecast, pixels };
  } finally {
    await backend.dispose();
  }
}
