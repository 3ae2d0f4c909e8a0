import { expect, test } from 'vitest';
import { chooseBackend } from '../../../src/backend/choose.ts';
import type { BackendHost } from '../../../src/backend/host.ts';
import { ortCpu } from '../../../tools/node-ort.ts';
import { deviation, formulaBundle, runByHand, runOn } from './formula-bundle.ts';

/** A machine with the given WebGPU, or with none. */
function hostWith(gpu: GPU | undefined): BackendHost {
  return {
    gpu,
    ort: { webgpu: () => Promise.reject(new Error('not to be loaded')), cpu: ortCpu },
    shaders: { forecast: '', eulerStep: '' },
    selfTestFile: () => Promise.reject(new Error('not to be read')),
  };
}

/** WebGPU with an adapter that only says what it is. */
function gpuNamed(info: Partial<GPUAdapterInfo>): GPU {
  const adapter = {
    info: { vendor: '', architecture: '', device: '', description: '', ...info },
    features: new Set(),
    limits: {},
  };
  return { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
}

test('the CPU backend does what its graphs say, step by step', async () => {
  const backend = await chooseBackend('cpu', formulaBundle(), hostWith(undefined));
  try {
    expect(backend.info).toMatchObject({ kind: 'cpu', precision: 'float32' });
    const [actual, expected] = [await runOn(backend), runByHand()];
    expect(deviation(actual.latents, expected.latents)).toBeLessThan(1e-5);
    expect(deviation(actual.estimate, expected.estimate)).toBeLessThan(1e-5);
    expect(actual.size).toEqual(expected.size);
    expect(deviation(actual.pixels, expected.pixels)).toBeLessThanOrEqual(1 / 255);
  } finally {
    await backend.dispose();
  }
});

test('a forecast from more anchors than there are, and a head without features, are errors', async () => {
  const backend = await chooseBackend('cpu', formulaBundle(), hostWith(undefined));
  try {
    const conditioning = await backend.encodeText({
      t5: Int32Array.of(1),
      clip: Int32Array.of(1),
      clipEnd: 0,
    });
    const run = await backend.begin(new Float32Array(64), { rows: 1, columns: 1 }, conditioning);
    await expect(run.head(1)).rejects.toThrow(RangeError);
    await run.runTrunk(1);
    await expect(run.forecast([1, 1])).rejects.toThrow(RangeError);
  } finally {
    await backend.dispose();
  }
});

test.each([
  ['no WebGPU', undefined, /no WebGPU/],
  ['no adapter', { requestAdapter: () => Promise.resolve(null) } as unknown as GPU, /no GPU/],
  ['SwiftShader', gpuNamed({ architecture: 'swiftshader' }), /in software/],
  ['lavapipe', gpuNamed({ description: 'llvmpipe (LLVM 19.1, 256 bits)' }), /in software/],
  ['a fallback adapter', gpuNamed({ isFallbackAdapter: true }), /in software/],
])('auto takes the processor with %s, and says why', async (_, gpu, reason) => {
  const backend = await chooseBackend('auto', formulaBundle(), hostWith(gpu));
  expect(backend.info.kind).toBe('cpu');
  expect(backend.info.reason).toMatch(reason);
  await backend.dispose();
});

test('WebGPU asked for by name is not replaced in silence', async () => {
  await expect(chooseBackend('webgpu', formulaBundle(), hostWith(undefined))).rejects.toMatchObject(
    { code: 'no-webgpu', hint: expect.stringContaining('processor') as string },
  );
});

test('a graph that is none is a bad bundle', async () => {
  const bundle = formulaBundle();
  const damaged = {
    ...bundle,
    read: (path: string) =>
      path.startsWith('head') ? Promise.resolve(new Uint8Array([1, 2, 3])) : bundle.read(path),
  };
  await expect(chooseBackend('cpu', damaged, hostWith(undefined))).rejects.toMatchObject({
    code: 'bad-bundle',
    message: expect.stringContaining('head.float32.onnx') as string,
  });
});
