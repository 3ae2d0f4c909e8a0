import { readFileSync } from 'node:fs';
import type { Tensor } from 'onnxruntime-web/wasm';
import { expect, test } from 'vitest';
import type { Ort } from '../../../src/runtime/ort/session.ts';
import { ortQueue } from '../../../src/shared/serial.ts';
import type { Precision } from '../../../src/gpu/precision.ts';
import { selfTest } from '../../../src/runtime/webgpu/selftest/selftest.ts';
import { HALF_BOUND } from '../../../src/shared/half.ts';
import { ortCpu } from '../../../src/node/ort.ts';
import { selfTestGraphs } from '../../../scripts/selftest-graphs.ts';
import { float16Array } from '../support/float16-array.ts';

const watch = {
  device: {} as GPUDevice,
  run: <T>(job: () => Promise<T>) => ortQueue.run(job),
  settle: () => Promise.resolve(),
};

const file = (name: string) =>
  Promise.resolve(new Uint8Array(readFileSync(`public/selftest/${name}`)));

/**
 * The self-test with the CPU's kernels in place of the GPU's.
 *
 * @param seen what becomes of an output's data, bits in half precision
 */
async function onCpu(
  precision: Precision,
  seen: (data: Float32Array | Uint16Array) => unknown,
  headWidth = 64,
) {
  const { ort } = await ortCpu();
  ort.env.wasm.numThreads = 1;
  const create = async (graph: Uint8Array) => {
    const session = await ort.InferenceSession.create(graph, { executionProviders: ['wasm'] });
    const run = async (feeds: Record<string, Tensor>) => {
      const { data } = (await session.run(feeds))['output']! as { data: Float32Array };
      const numbers =
        precision === 'float32' ? data : new Uint16Array(data.buffer, data.byteOffset, data.length);
      return { output: { getData: () => Promise.resolve(seen(numbers)) } };
    };
    const { inputNames, outputNames } = session;
    return { inputNames, outputNames, run, release: () => session.release() };
  };
  const cpu = { Tensor: ort.Tensor, InferenceSession: { create } } as unknown as Ort;
  return selfTest(watch, cpu, precision, headWidth, file);
}

test('the self-test graphs in public/ are what scripts/selftest-graphs.ts writes', () => {
  for (const [name, bytes] of selfTestGraphs()) {
    expect(new Uint8Array(readFileSync(`public/selftest/${name}`)), name).toEqual(bytes);
  }
});

test('it clips where the converter clips', () => expect(HALF_BOUND).toBe(60000));

test.each([
  ['float32', 64],
  ['float32', 128],
  ['float32', 24],
  ['float16', 64],
  ['float16', 128],
] as const)('kernels that compute right pass, %s with heads of %s', async (precision, width) => {
  const { checks, passed } = await onCpu(precision, (data) => data, width);
  expect(checks.map(({ name }) => name)).toEqual(['attention', 'matmul-4bit', 'clipping', 'block']);
  expect(checks.map(({ error }) => error).every((error) => error > 0 || error === 0)).toBe(true);
  expect(passed, JSON.stringify(checks)).toBe(true);
});

test('half precision is read from a Float16Array as from bits', async () => {
  const bits = await onCpu('float16', (data) => data);
  const numbers = await onCpu('float16', (data) => float16Array(data as Uint16Array));
  expect(numbers).toEqual(bits);
  expect(numbers.passed).toBe(true);
});

test.each([0, 50, 87])('one number that is none fails, number %s', async (at) => {
  const { passed, checks } = await onCpu('float32', (data) => data.with(at, NaN));
  expect(passed).toBe(false);
  expect(checks).toMatchObject([{ name: 'attention', error: NaN }]);
});

test.each(['attention', 'matmul-4bit', 'clipping', 'block'])(
  'a wrong result of %s fails there, and nothing after it runs',
  async (wrong) => {
    const names = ['attention', 'matmul-4bit', 'matmul-4bit', 'clipping', 'block'];
    let run = 0;
    const { checks, passed } = await onCpu('float32', (data) =>
      names[run++] === wrong ? data.map((value) => 1.05 * value) : data,
    );
    expect(passed).toBe(false);
    expect(checks.at(-1)).toMatchObject({ name: wrong });
    expect(checks.at(-1)!.error).toBeGreaterThan(0.03);
  },
);

test('a graph that does not run fails with what was said of it', async () => {
  const { checks, passed } = await onCpu('float16', () => {
    throw new Error("Shader 'Clip' parsing error");
  });
  expect(passed).toBe(false);
  expect(checks).toMatchObject([{ name: 'attention', failure: "Shader 'Clip' parsing error" }]);
});

test('a command that the GPU refused fails, even where the numbers are right', async () => {
  const { ort } = await ortCpu();
  const refusing = { ...watch, settle: () => Promise.reject(new Error('refused a command')) };
  const { create } = ort.InferenceSession;
  const cpu = {
    Tensor: ort.Tensor,
    InferenceSession: {
      create: (graph: Uint8Array) => create(graph, { executionProviders: ['wasm'] }),
    },
  } as unknown as Ort;
  const { checks, passed } = await selfTest(refusing, cpu, 'float32', 64, file);
  expect(passed).toBe(false);
  expect(checks).toMatchObject([{ name: 'attention', failure: 'refused a command' }]);
});

test('files that cannot be read say nothing of the GPU', async () => {
  const { ort } = await ortCpu();
  const offline = () => Promise.reject(new Error('offline'));
  const result = selfTest(watch, ort, 'float32', 64, offline);
  await expect(result).rejects.toThrow('offline');
});

test('an ONNX Runtime that does not load says nothing of the GPU either', async () => {
  const { ort } = await ortCpu();
  const cause = new Error('no available backend found. ERR: [webgpu] TypeError: Failed to fetch');
  const broken = {
    Tensor: ort.Tensor,
    InferenceSession: { create: () => Promise.reject(cause) },
  } as unknown as Ort;
  await expect(selfTest(watch, broken, 'float32', 64, file)).rejects.toBe(cause);
});
