import { expect, test } from 'vitest';
import { PUBLISHED } from '../../../src/forecast/settings.ts';
import { AppError } from '../../../src/shared/errors.ts';
import type { GenerateRequest } from '../../../src/sampling/job.ts';
import { checkRequest, guidanceOf } from '../../../src/sampling/request.ts';
import { testManifest } from '../support/manifest.ts';

const manifest = testManifest(); // offers 32x32 and 64x32
const GOOD: GenerateRequest = {
  prompt: 'a fox',
  seed: 1,
  steps: 50,
  sampler: 'euler',
  width: 32,
  height: 32,
  cache: PUBLISHED,
  preview: true,
};

test.each([
  {},
  { seed: 0 },
  { seed: 2 ** 32 - 1 },
  { seed: 2 ** 32 },
  { seed: -1 },
  { seed: '18446744073709551615' },
  { steps: 1 },
  { steps: 1000 },
  { width: 48 },
  { width: 64 },
  { prompt: 'Привет 🦊' },
])('%o is accepted', (change) => {
  expect(() => checkRequest({ ...GOOD, ...change }, manifest)).not.toThrow();
});

test.each([
  [{ prompt: '' }, 'The prompt is empty.'],
  [{ prompt: ' \n\t ' }, 'The prompt is empty.'],
  [{ prompt: 'fox '.repeat(3000) }, '12000 characters'],
  [{ steps: 0 }, 'Steps must be a whole number from 1 to 1000, not 0.'],
  [{ steps: 10_000 }, 'not 10000.'],
  [{ steps: 2.5 }, 'not 2.5.'],
  [{ steps: NaN }, 'not NaN.'],
  [
    { seed: '18446744073709551616' },
    'The seed must be a whole number from -9223372036854775808 to 18446744073709551615, not 18446744073709551616.',
  ],
  [{ seed: 2 ** 64 }, 'not 18446744073709552000.'],
  [{ seed: '' }, 'The seed must be a whole number'],
  [{ seed: 0.5 }, 'not 0.5.'],
  [{ width: 40 }, 'The width must be a multiple of 16 from 32 to 64 with this model, not 40.'],
  [{ width: 80 }, 'not 80.'],
  [{ width: 0 }, 'not 0.'],
  [{ height: 48 }, 'The height must be 32 with this model, not 48.'],
  [{ cache: { ...PUBLISHED, sigma: 2, order: -1 } }, 'order must be'],
  [{ cache: { ...PUBLISHED, sigma: 2, order: -1 } }, 'sigma must be'],
])('%o is refused with "%s"', (change, message) => {
  const check = (): void => checkRequest({ ...GOOD, ...change }, manifest);
  expect(check).toThrow(message);
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'bad-request' });
    expect((error as AppError).hint).not.toBe('');
  }
});

const guided = testManifest();
guided.transformer.guidance = true;

test('guidance is for models that take it, within limits, and by default their own', () => {
  const check = (guidance: number, of = guided) => checkRequest({ ...GOOD, guidance }, of);
  for (const good of [0, 1, 3.5, 30]) expect(() => check(good)).not.toThrow();
  for (const bad of [-1, 30.1, NaN, Infinity]) {
    expect(() => check(bad)).toThrow(`Guidance must be a number from 0 to 30, not ${bad}.`);
  }
  expect(() => check(3.5, manifest)).toThrow('This model takes no guidance scale.');
  expect(() => checkRequest({ ...GOOD, guidance: undefined }, manifest)).not.toThrow();

  expect(guidanceOf({}, manifest)).toBeUndefined();
  expect(guidanceOf({}, guided)).toBe(3.5);
  expect(guidanceOf({}, { ...guided, defaults: { steps: 20, guidance: 2 } })).toBe(2);
  expect(guidanceOf({ guidance: 0 }, guided)).toBe(0);
});
