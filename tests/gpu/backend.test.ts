import { expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { chooseBackend } from '../../src/backend/choose.ts';
import { createWebGpuBackend } from '../../src/backend/webgpu/backend.ts';
import { DeviceWatch } from '../../src/backend/webgpu/watch.ts';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { openBundleFolder } from '../../tools/folder-bundle.ts';
import { nodeHost } from '../../tools/node-ort.ts';
import { deviation, formulaBundle, runByHand, runOn } from '../unit/backend/formula-bundle.ts';
import { testDevice } from './support.ts';

/** Shares of the largest value; half precision keeps 11 bits. */
const TOLERANCE = { float32: 1e-5, float16: 5e-3 } as const;

const about = { adapter: 'test', reason: 'It is under test.' };

/** Without the self-test, which has a test of its own. */
async function webGpuBackend(bundle: Bundle, device: GPUDevice): Promise<Backend> {
  const host = await nodeHost();
  const { ort } = await host.ort.webgpu();
  return createWebGpuBackend(bundle, ort, new DeviceWatch(device), host.shaders, about);
}

test('the WebGPU backend does what its graphs say, step by step', async () => {
  const backend = await webGpuBackend(formulaBundle(), await testDevice());
  try {
    const tolerance = TOLERANCE[backend.info.precision];
    const [actual, expected] = [await runOn(backend), runByHand()];
    expect(deviation(actual.latents, expected.latents)).toBeLessThan(tolerance);
    expect(deviation(actual.estimate, expected.estimate)).toBeLessThan(tolerance);
    expect(actual.size).toEqual(expected.size);
    expect(deviation(actual.pixels, expected.pixels)).toBeLessThanOrEqual(1 / 255);
  } finally {
    await backend.dispose();
  }
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
    const run = await backend.begin(noise, grid, conditioning);
    await run.runTrunk(1);
    await run.head(1);
    await run.eulerStep(-0.25);
    await run.runTrunk(0.75);
    await run.head(0.75);
    const computed = await run.estimate(0.75);
    await run.eulerStep(-0.25);
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
