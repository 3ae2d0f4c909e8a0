import { AppError } from '../shared/errors.ts';
import type { DecodedPicture } from './backend.ts';
import type { BackendKind } from './kind.ts';

/**
 * The decoder's output as a picture, rounded as diffusers' VaeImageProcessor does: -1 is black,
 * 1 is white, halves go to the even number (which is what Uint8ClampedArray does by itself).
 *
 * @param image three planes of height x width
 * @param kind of the backend that computed it
 * @throws AppError `internal` if a number is not finite, as happens when float16 overflows or the
 *   model's weights are damaged.
 */
export function pictureOf(
  image: Float32Array,
  width: number,
  height: number,
  kind: BackendKind,
): DecodedPicture {
  const plane = width * height;
  const pixels = new Uint8ClampedArray(4 * plane);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = image[channel * plane + i]!;
      if (!Number.isFinite(value)) {
        throw noPicture(kind);
      }
      pixels[4 * i + channel] = 255 * Math.fround(Math.fround(value / 2) + 0.5);
    }
    pixels[4 * i + 3] = 255;
  }
  return { width, height, pixels };
}

function noPicture(kind: BackendKind): AppError {
  return kind === 'cpu'
    ? new AppError(
        'internal',
        'The model computed values that are not numbers, so there is no image: its weights are probably damaged.',
        'Convert or download the model again.',
      )
    : new AppError(
        'internal',
        'The model computed values that are not numbers on this GPU, so there is no image.',
        `Select the CPU instead of the GPU. If the image fails there too, the weights are damaged: convert or download the model again.`,
      );
}
