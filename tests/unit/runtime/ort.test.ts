import type { InferenceSession } from 'onnxruntime-web/wasm';
import { expect, test } from 'vitest';
import { isOutOfMemory } from '../../../src/runtime/memory/budget.ts';
import { type ExternalData, openSession } from '../../../src/runtime/ort/session.ts';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { testManifest } from '../support/manifest.ts';

const LARGE = 2 ** 30;
const FILES = { graph: 'parts/a.onnx', data: ['parts/small.data', 'parts/large.data'] };

/** A bundle that says of its files how they were asked for; their contents are those words. */
function bundleOf(asked: string[]): Bundle {
  const entry = (bytes: number) => ({ bytes, sha256: '0'.repeat(64) });
  const give = (how: string, path: string) => {
    asked.push(`${how} ${path}`);
    return new TextEncoder().encode(`${how} ${path}`);
  };
  return {
    manifest: testManifest({
      'parts/a.onnx': entry(10),
      'parts/small.data': entry(1000),
      'parts/large.data': entry(LARGE),
    }),
    read: (path) => Promise.resolve(give('read', path)),
    blob: (path) => Promise.resolve(new Blob([give('blob', path)])),
  };
}

const session = {} as InferenceSession;

async function open(readsBlobs: boolean) {
  const asked: string[] = [];
  const progress: number[] = [];
  let given: readonly ExternalData[] = [];
  const reading = {
    bundle: bundleOf(asked),
    readsBlobs,
    onRead: (bytes: number) => progress.push(bytes),
  };
  const opened = await openSession(reading, FILES, (_, data) => {
    given = data;
    return Promise.resolve(session);
  });
  expect(opened).toBe(session);
  expect(asked).toEqual(['read parts/a.onnx', 'read parts/small.data', 'blob parts/large.data']);
  expect(progress).toEqual([0, 10, 1010, 1010 + LARGE]);
  expect(given.map(({ path }) => path)).toEqual(['small.data', 'large.data']);
  return given;
}

test('large external data go to a build that reads Blobs as a Blob', async () => {
  const [small, large] = await open(true);
  expect(small!.data).toBeInstanceOf(Uint8Array);
  expect(large!.data).toBeInstanceOf(Blob);
});

test('and to the others as bytes', async () => {
  const [, large] = await open(false);
  expect(new TextDecoder().decode(large!.data as Uint8Array)).toBe('blob parts/large.data');
});

test('a graph that is refused is a bad bundle; want of memory and a lost device stay what they are', async () => {
  const failing = (error: Error) =>
    openSession({ bundle: bundleOf([]), readsBlobs: true }, FILES, () => Promise.reject(error));
  const refused = failing(new Error('no such operator'));
  await expect(refused).rejects.toMatchObject({ code: 'bad-bundle' });
  await refused.catch((error: unknown) => expect(isOutOfMemory(error)).toBe(false));
  const lost = new AppError('device-lost', 'gone', 'again');
  await expect(failing(lost)).rejects.toBe(lost);
  await failing(new Error("Can't create a session. std::bad_alloc")).catch((error: unknown) =>
    expect(isOutOfMemory(error)).toBe(true),
  );
});

test.each([
  [new RangeError('Array buffer allocation failed'), true],
  [new RangeError('Invalid array buffer length'), true],
  [new Error("Can't create a session. failed to allocate a buffer of size 99."), true],
  [new Error('failed to call OrtRun(). SafeIntOnOverflow() Integer overflow'), true],
  [new AppError('out-of-memory', '', ''), true],
  [new AppError('bad-bundle', 'damaged', ''), false],
  [new TypeError('x is not a function'), false],
  ['out of memory', false],
])('%s is out of memory: %s', (error, expected) => {
  expect(isOutOfMemory(error)).toBe(expected);
});
