import { describe, expect, test } from 'vitest';
import { activationBytes } from '../../../src/runtime/memory/activations.ts';
import type { ComponentLoading } from '../../../src/runtime/backend.ts';
import { chooseBackend } from '../../../src/runtime/choose.ts';
import type { BackendHost } from '../../../src/runtime/host.ts';
import type { Ort } from '../../../src/runtime/ort/session.ts';
import { partsOf } from '../../../src/runtime/memory/parts.ts';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import { ortCpu } from '../../../src/node/ort.ts';
import { expectFollowed, expectRefusals } from './expect-backend.ts';
import { beginOn, formulaBundle, runOn } from './formula-bundle.ts';

/** A machine with the given WebGPU, or with none. */
function hostWith(gpu: GPU | undefined): BackendHost {
  return {
    surroundings: 'browser',
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

test('NaN from the CPU blames the weights, not a GPU', async () => {
  const backend = await chooseBackend('cpu', formulaBundle(), hostWith(undefined));
  try {
    const { run, conditioning } = await beginOn(backend);
    run.dispose();
    const latents = new Float32Array(6 * 64).fill(NaN);
    const broken = await backend.begin(latents, { rows: 3, columns: 2 }, conditioning);
    await expect(broken.decode()).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('weights') as string,
      hint: expect.not.stringContaining('GPU') as string,
    });
  } finally {
    await backend.dispose();
  }
});

describe('a model that does not fit as a whole', () => {
  const model = { segments: 3, textSegments: 2, guidance: true, previewer: true } as const;

  /** Room for the head, `count` segments of the trunk beside it, and what denoising needs. */
  function budgetFor(bundle: Bundle, count: number): number {
    const parts = partsOf(bundle.manifest, 'float32');
    const bytes = (component: string) =>
      parts.filter((part) => part.component === component).map((part) => part.bytes);
    const { denoise } = activationBytes(bundle.manifest, 'float32');
    const trunk = bytes('trunk').sort((a, b) => b - a);
    return [denoise, ...bytes('head'), ...trunk.slice(0, count)].reduce((a, b) => a + b);
  }

  async function follow(bundle: Bundle, memoryBudget?: number) {
    const opened: string[] = [];
    const watched = {
      ...bundle,
      read: (path: string) => {
        opened.push(path);
        return bundle.read(path);
      },
    };
    const loaded: ComponentLoading[] = [];
    const host = hostWith(undefined);
    const backend = await chooseBackend('cpu', watched, host, { memoryBudget });
    try {
      // Twice, since the second run finds what the first has left.
      const first = await runOn(backend, { guidance: 3, onLoading: (event) => loaded.push(event) });
      const second = await expectFollowed(backend, 1e-5, 3);
      expect(second).toEqual(first);
      return { followed: { ...first, preview: undefined }, first, opened, loaded, backend };
    } finally {
      await backend.dispose();
    }
  }

  test('makes the same picture, streamed, evicting, and all resident', async () => {
    const bundle = formulaBundle(model);
    const streamed = await follow(bundle, budgetFor(bundle, 1));
    const evicting = await follow(bundle, budgetFor(bundle, 3));
    const resident = await follow(bundle);
    const whole = await follow(formulaBundle({ ...model, segments: 1, textSegments: 1 }));

    const useOf = ({ backend }: Awaited<ReturnType<typeof follow>>) =>
      Object.fromEntries(
        backend.info.residency.components.map(({ component, use }) => [component, use]),
      );
    expect(useOf(streamed)).toMatchObject({ trunk: 'streamed', previewer: 'unused' });
    expect(useOf(evicting)).toMatchObject({ trunk: 'swapped', decoder: 'swapped' });
    expect(new Set(Object.values(useOf(resident)))).toEqual(new Set(['resident']));
    for (const { followed } of [streamed, evicting, resident]) {
      expect(followed).toEqual(whole.followed);
    }
    expect(resident.first.preview).toBeDefined();
    expect(streamed.first.preview).toBeUndefined();

    const times = ({ opened }: typeof streamed, path: string) =>
      opened.filter((each) => each === path).length;
    // Nine compute steps in each of two runs; the first one's order leaves one segment for the next.
    expect(times(streamed, 'trunk/0.float32.onnx')).toBeGreaterThan(9);
    expect(times(evicting, 'trunk/0.float32.onnx')).toBeLessThanOrEqual(3);
    // The prompt is the same, so that its encoders are not loaded again.
    expect(times(streamed, 't5/1.float32.onnx')).toBeLessThanOrEqual(2);
    expect(new Set(resident.opened).size).toBe(resident.opened.length);
    expect(resident.loaded).toEqual([]);
    expect(streamed.loaded).toContainEqual({
      component: 'transformer, part 2 of 3',
      loadedBytes: 0,
      bytes: bundle.manifest.files['trunk/1.float32.onnx']!.bytes,
    });
  });

  test('a graph that does not load leaves the others usable', async () => {
    const bundle = formulaBundle(model);
    let damaged = true;
    const damagedOnce: Bundle = {
      ...bundle,
      async read(path) {
        if (path !== 'trunk/1.float32.onnx' || !damaged) return bundle.read(path);
        return new Uint8Array([1, 2, 3]);
      },
    };
    const memoryBudget = budgetFor(bundle, 1);
    const opening = chooseBackend('cpu', damagedOnce, hostWith(undefined), { memoryBudget });
    await expect(opening).rejects.toMatchObject({ code: 'bad-bundle' });
    damaged = false;
    const backend = await chooseBackend('cpu', damagedOnce, hostWith(undefined), { memoryBudget });
    damaged = true;
    await expect(runOn(backend, { guidance: 3 })).rejects.toMatchObject({ code: 'bad-bundle' });
    damaged = false;
    await expectFollowed(backend, 1e-5, 3);
    await backend.dispose();
  });
});

test('a budget that is none is refused', async () => {
  for (const memoryBudget of [0, -1, NaN, Infinity]) {
    const backend = chooseBackend('cpu', formulaBundle(), hostWith(undefined), { memoryBudget });
    await expect(backend).rejects.toMatchObject({ code: 'bad-request' });
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
    { code: 'no-webgpu', hint: expect.stringContaining('CPU') as string },
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

test('a GPU on which the self-test does not even run is passed over, and the reason says why', async () => {
  const { ort } = await ortCpu();
  const create = () => Promise.reject(new Error("Shader 'Clip' parsing error"));
  const refusing = { Tensor: ort.Tensor, InferenceSession: { create } } as unknown as Ort;
  let destroyed = 0;
  const device = {
    features: new Set(['shader-f16']),
    lost: new Promise(() => undefined),
    addEventListener: () => undefined,
    destroy: () => destroyed++,
  };
  const adapter = {
    info: { vendor: 'acme', architecture: '', device: '', description: '', subgroupMaxSize: 32 },
    features: new Set(['shader-f16', 'subgroups']),
    limits: {},
    requestDevice: () => Promise.resolve(device),
  };
  const host: BackendHost = {
    ...hostWith({ requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU),
    ort: { webgpu: () => Promise.resolve({ ort: refusing }), cpu: ortCpu },
    selfTestFile: () => Promise.resolve(new Uint8Array()),
  };
  const backend = await chooseBackend('auto', formulaBundle(), host);
  try {
    expect(backend.info).toMatchObject({
      kind: 'cpu',
      reason: expect.stringContaining(
        "without subgroups attention does not run (Shader 'Clip' parsing error)",
      ) as string,
    });
    expect(destroyed, 'with subgroups and without').toBe(2);
  } finally {
    await backend.dispose();
  }
});
