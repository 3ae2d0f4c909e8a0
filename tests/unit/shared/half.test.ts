import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  brainFloatsToFloats,
  floatsToHalves,
  fromHalf,
  halvesToFloats,
  numbersOf,
  toHalf,
} from '../../../src/shared/half.ts';
import { float16Array } from '../support/float16-array.ts';

test('every half precision number survives a round trip', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
  const back = floatsToHalves(halvesToFloats(all));
  const changed = all.filter((bits) => back[bits] !== bits);
  // All NaNs become one.
  expect([...changed].every((bits) => Number.isNaN(fromHalf(bits)))).toBe(true);
  expect(fromHalf(toHalf(NaN))).toBeNaN();
});

test.each([
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [2 ** -25 * 1.001, 0x0001],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [-0, 0x8000],
  [-Infinity, 0xfc00],
])('%d is stored as %i', (value, bits) => {
  expect(toHalf(value)).toBe(bits);
});

test('rounds to the nearest', () => {
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const bits = toHalf(value);
      const error = Math.abs(fromHalf(bits) - value);
      for (const other of [bits - 1, bits + 1].map(fromHalf)) {
        if (Number.isFinite(other)) expect(error).toBeLessThanOrEqual(Math.abs(other - value));
      }
    }),
  );
});

test('bfloat16 is the upper half of a float32', () => {
  expect([...brainFloatsToFloats(Uint16Array.of(0x3f80, 0xc040, 0x7f80))]).toEqual([
    1,
    -3,
    Infinity,
  ]);
});

test("a tensor's numbers are the same from bits, from a Float16Array and from float32", () => {
  const numbers = Float32Array.of(1, -2, 65504, 2 ** -24, Infinity, 0.333251953125, 0);
  // Not at the buffer's start, as a view of wasm's memory lies.
  const bits = Uint16Array.of(7, ...floatsToHalves(numbers)).subarray(1);
  expect(numbersOf(numbers)).toBe(numbers);
  expect(numbersOf(bits)).toEqual(numbers);
  expect(numbersOf(float16Array(bits))).toEqual(numbers);
});

test.each([new Float64Array(2), new Int32Array(2), ['a'], [1.5], undefined, null, 'x'])(
  'nothing else is taken for a tensor of floats: %s',
  (data) => expect(() => numbersOf(data)).toThrow(TypeError),
);
