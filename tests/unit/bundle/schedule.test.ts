/** A noise schedule that draws nothing is refused when the manifest is read. */
import { expect, test } from 'vitest';
import { parseManifest } from '../../../src/bundle/manifest.ts';
import { testManifest } from '../support/manifest.ts';

const parsing = (scheduler: object): unknown =>
  parseManifest(
    JSON.stringify({ ...testManifest(), scheduler: { ...testManifest().scheduler, ...scheduler } }),
    'manifest.json',
  );

test.each<[string, object]>([
  ['shift', { shift: 0 }],
  ['shift', { shift: -2 }],
  ['shift', { shift: '3' }],
  ['shift', { shift: null }],
  ['shift', { shift: undefined }],
  ['shift', { shift: 1e6 }],
  ['useDynamicShifting', { useDynamicShifting: 'yes' }],
  ['baseShift', { baseShift: 40 }],
  ['maxShift', { maxShift: -40 }],
  ['baseImageTokens', { baseImageTokens: 0 }],
  ['maxImageTokens', { maxImageTokens: 1.5 }],
  ['maxImageTokens', { useDynamicShifting: true, baseImageTokens: 4096 }],
  ['maxImageTokens', { useDynamicShifting: true, baseImageTokens: 5000 }],
])('%s of %o', (field, change) => {
  expect(() => parsing(change)).toThrow(
    expect.objectContaining({
      code: 'bad-bundle',
      message: expect.stringContaining(`manifest.json: scheduler.${field}: `) as string,
    }),
  );
});

test('a number beyond all bounds, which JSON can hold', () => {
  const text = JSON.stringify(testManifest()).replace('"shift":1,', '"shift":1e999,');
  expect(text).toContain('1e999');
  expect(() => parseManifest(text, 'manifest.json')).toThrow('scheduler.shift: must be at most');
});

test.each([{ shift: 0.5 }, { shift: 17 }, { useDynamicShifting: true }, { baseImageTokens: 4096 }])(
  'what samplers use: %o',
  (change) => {
    expect(() => parsing(change)).not.toThrow();
  },
);
