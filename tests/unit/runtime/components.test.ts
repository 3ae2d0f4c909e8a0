import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { expect, test } from 'vitest';
import { Components, type SessionKind } from '../../../src/runtime/ort/components.ts';
import { SerialQueue } from '../../../src/shared/serial.ts';
import { formulaBundle } from './formula-bundle.ts';

const BUDGET = 2 ** 30;

/** Sessions that only count: as many as `most` can be open. */
function countingKind(most: number) {
  const log: string[] = [];
  let open = 0;
  const kind: SessionKind = {
    runner: new SerialQueue(),
    readsBlobs: false,
    advice: 'Ask somebody.',
    create(_graph, _data, { last }) {
      if (open >= most) return Promise.reject(new Error('std::bad_alloc'));
      open++;
      const name = last ? 'last' : 'between';
      const output = { dispose: () => log.push(`dispose ${name}`) } as unknown as Tensor;
      return Promise.resolve({
        inputNames: [],
        outputNames: [name],
        run: () => Promise.resolve({ [name]: output }),
      } as unknown as InferenceSession);
    },
    release(_session, { sparing }) {
      open--;
      log.push(`release${sparing ? ' sparing' : ''}`);
      return Promise.resolve();
    },
    detach(output, { sparing }) {
      log.push(`detach${sparing ? ' sparing' : ''}`);
      return Promise.resolve(output);
    },
  };
  return { kind, log };
}

test('outputs of segments are handed on and disposed of, and nothing is spared where all fits', async () => {
  const { kind, log } = countingKind(9);
  const components = new Components(kind, formulaBundle(), 'float32', BUDGET);
  await components.openAhead();
  expect(Object.keys(await components.run('trunk', {}))).toEqual(['last']);
  expect(log).toEqual(['detach', 'dispose between']);
  await components.dispose();
  expect(log.slice(2)).toEqual(Array(6).fill('release'));
});

test('a plan that all fits is given up when memory is missing', async () => {
  // Of six sessions five can be open.
  const { kind, log } = countingKind(5);
  const components = new Components(kind, formulaBundle(), 'float32', BUDGET);
  await components.openAhead();
  expect(log).toEqual(Array(5).fill('release sparing'));
  log.length = 0;
  for (const component of ['t5', 'clip', 'trunk', 'head', 'decoder'] as const) {
    await components.run(component, {});
  }
  expect(log).toContain('detach sparing');
  await components.dispose();
});

test('what does not fit even alone is said with its name, its size and the budget', async () => {
  const { kind } = countingKind(0);
  const components = new Components(kind, formulaBundle(), 'float32', BUDGET);
  await expect(components.run('trunk', {})).rejects.toMatchObject({
    code: 'out-of-memory',
    message: expect.stringMatching(
      /no room for the transformer's head: it takes \d+ kB, and the memory budget is 1\.07 GB\./,
    ) as string,
    hint: expect.stringContaining('smaller') as string,
  });
});

test('what cannot be computed is said by name, with advice for the backend', async () => {
  const failing = (message: string) => {
    const { kind } = countingKind(9);
    const create: SessionKind['create'] = async (...given) => ({
      ...(await kind.create(...given)),
      run: () => Promise.reject(new Error(message)),
    });
    return new Components({ ...kind, create }, formulaBundle(), 'float32', BUDGET);
  };
  await expect(failing('std::bad_alloc').run('decoder', {})).rejects.toMatchObject({
    code: 'out-of-memory',
    message: expect.stringContaining('run the picture decoder') as string,
  });
  const other = failing('a broken graph').run('decoder', {});
  await expect(other).rejects.toMatchObject({
    code: 'internal',
    message: 'The picture decoder failed while running: a broken graph',
    hint: 'Ask somebody.',
  });
});

test('previews are for models with a decoder for them, and for budgets with room', () => {
  const { kind } = countingKind(9);
  const previews = (previewer: boolean, budget: number) =>
    new Components(kind, formulaBundle({ previewer }), 'float32', budget).previews;
  expect(previews(true, BUDGET)).toBe(true);
  expect(previews(false, BUDGET)).toBe(false);
  expect(previews(true, 1000)).toBe(false);
});
