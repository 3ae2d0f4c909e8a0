import { expect, test } from 'vitest';
import { chooseBackend } from '../../../src/backend/choose.ts';
import type { BackendHost } from '../../../src/backend/host.ts';
import { ortCpu } from '../../../tools/node-ort.ts';
import { expectFollowed, expectRefusals } from './expect-backend.ts';
import { formulaBundle } from './formula-bundle.ts';

/** A machine with the given WebGPU, or with none. */
function hostWith(gpu: GPU | undefined): BackendHost {
  return {
    gpu,
    ort: { webgpu: () => Promise.reject(new Error('not to be loaded')), cpu: ortCpu },
    shaders: { forecast: '', eulerStep: '', gram: '' },
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
    await expectFollowed(backend, 1e-5);
  } finally {
    await backend.dispose();
  }
});

test('calls for what is not there are errors', async () => {
  const backend = await chooseBackend('cpu', formulaBundle(), hostWith(undefined));
  try {
    await expectRefusals(backend);
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
