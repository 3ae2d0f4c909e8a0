import { expect, test } from 'vitest';
import { pictureOf } from '../../../src/runtime/image.ts';
import type { AppError } from '../../../src/shared/errors.ts';

test('planes become RGBA, -1 black and 1 white, halves even, what is beyond clamped', () => {
  const image = Float32Array.of(-1, 1, 0, -9, 9, 0.5);
  expect(pictureOf(image, 2, 1, 'cpu')).toEqual({
    width: 2,
    height: 1,
    pixels: Uint8ClampedArray.of(0, 128, 255, 255, 255, 0, 191, 255),
  });
});

test.each([NaN, Infinity, -Infinity])('%s makes no black picture', (value) => {
  const image = Float32Array.of(0, 0, value);
  for (const kind of ['cpu', 'webgpu'] as const) {
    expect(() => pictureOf(image, 1, 1, kind)).toThrowError(
      expect.objectContaining({ code: 'internal' }) as Error,
    );
  }
});

test('the message blames what was used', () => {
  const textOf = (kind: 'cpu' | 'webgpu'): string => {
    try {
      pictureOf(new Float32Array(3).fill(NaN), 1, 1, kind);
      return '';
    } catch (error) {
      const { message, hint } = error as AppError;
      return `${message} ${hint}`;
    }
  };
  expect(textOf('cpu')).toMatch(/weights/);
  expect(textOf('cpu')).not.toMatch(/GPU/);
  expect(textOf('webgpu')).toMatch(/Select the CPU instead of the GPU/);
});
