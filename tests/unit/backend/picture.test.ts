import { expect, test } from 'vitest';
import { pictureOf } from '../../../src/backend/picture.ts';

test('planes become RGBA, -1 black and 1 white, halves even, what is beyond clamped', () => {
  const image = Float32Array.of(-1, 1, 0, -9, 9, 0.5);
  expect(pictureOf(image, 2, 1)).toEqual({
    width: 2,
    height: 1,
    pixels: Uint8ClampedArray.of(0, 128, 255, 255, 255, 0, 191, 255),
  });
});

test('numbers that are none make no black picture', () => {
  const image = new Float32Array(3).fill(NaN);
  expect(() => pictureOf(image, 1, 1)).toThrowError(
    expect.objectContaining({ code: 'internal' }) as Error,
  );
});
