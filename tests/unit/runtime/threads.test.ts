import { expect, test } from 'vitest';
import { threadsAllowed, threadsInUse } from '../../../src/runtime/cpu/threads.ts';
import type { Ort } from '../../../src/runtime/ort/session.ts';

const navigator = { hardwareConcurrency: 4 };

test.each([
  ['an isolated page', { crossOriginIsolated: true, SharedArrayBuffer, navigator }, 4],
  ['a page that is not', { crossOriginIsolated: false, SharedArrayBuffer, navigator }, 1],
  ['isolated, without shared memory', { crossOriginIsolated: true, navigator }, 1],
  ['a browser older than isolation', { SharedArrayBuffer, navigator }, 1],
  ['a browser that hides its cores', { crossOriginIsolated: true, SharedArrayBuffer }, 1],
  [
    'a browser that says nothing of its cores',
    { crossOriginIsolated: true, SharedArrayBuffer, navigator: {} },
    1,
  ],
])('threads of %s', (_, scope, threads) => {
  expect(threadsAllowed(scope)).toBe(threads);
});

test('what ONNX Runtime has set counts, not what it was asked for', () => {
  const ort = (numThreads?: number) => ({ env: { wasm: { numThreads } } }) as Ort;
  expect(threadsInUse(ort(1), 4)).toBe(1);
  expect(threadsInUse(ort(4), 4)).toBe(4);
  expect(threadsInUse(ort(), 2)).toBe(2);
});
