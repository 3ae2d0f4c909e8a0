import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromFloat16, toFloat16 } from '../../../src/backend/float16.ts';

test('every half survives the way to float32 and back', () => {
  const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
  const isNaNHalf = (bits: number) => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
  const numbers = all.filter((bits) => !isNaNHalf(bits));
  expect(toFloat16(fromFloat16(numbers))).toEqual(numbers);
  expect(fromFloat16(all.filter(isNaNHalf)).every(Number.isNaN)).toBe(true);
});

test.each([
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65519, 0x7bff],
  [65520, 0x7c00],
  [-1e9, 0xfc00],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [2 ** -14, 0x0400],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [NaN, 0x7e00],
])('%d is %i', (value, bits) => {
  expect(toFloat16([value])).toEqual(Uint16Array.of(bits));
});

test('no half lies nearer than the one chosen', () => {
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const [bits] = toFloat16([value]);
      const error = Math.abs(fromFloat16([bits!])[0]! - value);
      for (const other of [bits! - 1, bits! + 1]) {
        if ((other & 0x7fff) > 0x7bff || other < 0) continue;
        expect(error).toBeLessThanOrEqual(Math.abs(fromFloat16([other])[0]! - value));
      }
    }),
  );
});
