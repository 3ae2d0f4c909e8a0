import { AppError } from '../errors.ts';
import type { DecodedPicture } from './backend.ts';

/**
 * The decoder's output as a picture, rounded as diffusers' VaeImageProcessor does: -1 is black,
 * 1 is white, halves go to the even number (which is what Uint8ClampedArray does by itself).
 *
 * @param image three planes of height x width
 * @throws AppError `internal` if a number is not finite, as happens when float16 overflows.
 */
export function pictureOf(image: Float32Array, width: number, height: number): DecodedPicture {
  const plane = width * height;
  const pixels = new Uint8ClampedArray(4 * plane);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = image[channel * plane + i]!;
      if (!Number.isFinite(value)) {
        throw new AppError(
          'internal',
          'The model gave numbers that are no picture.',
          'Try the processor instead of the GPU, and report this with your GPU.',
        );
      }
      pixels[4 * i + channel] = 255 * Math.fround(Math.fround(value / 2) + 0.5);
    }
    pixels[4 * i + 3] = 255;
  }
  return { width, height, pixels };
}
