import { afterEach, expect, test, vi } from 'vitest';
import { keepsSettings, read, write } from '../../../src/app/storage.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  keepsSettings.value = true;
});

const failing: readonly [how: string, factory: unknown][] = [
  ['missing', undefined],
  ['null', null],
  [
    'forbidden',
    {
      open: () => {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    },
  ],
  ['refusing', { open: () => refused() }],
];

function refused() {
  const request = { error: new DOMException('No.', 'UnknownError'), onerror: () => undefined };
  queueMicrotask(() => request.onerror());
  return request;
}

test.each(failing)(
  'an indexedDB that is %s gives nothing and keeps nothing',
  async (_, factory) => {
    vi.stubGlobal('indexedDB', factory);
    expect(await read('settings')).toBeUndefined();
    expect(keepsSettings.value).toBe(false);
    keepsSettings.value = true;
    await write('settings', { steps: 4 });
    expect(keepsSettings.value).toBe(false);
  },
);

test('an indexedDB that never answers is not waited for', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('indexedDB', { open: () => ({}) });
  const answer = read('settings');
  await vi.runAllTimersAsync();
  expect(await answer).toBeUndefined();
  expect(keepsSettings.value).toBe(false);
});
