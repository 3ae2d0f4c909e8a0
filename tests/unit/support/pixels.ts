/** RGB, as a PNG file without transparency has it, to RGBA. */
export function withAlpha(rgb: ArrayLike<number>): Uint8ClampedArray {
  return Uint8ClampedArray.from({ length: (rgb.length / 3) * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : rgb[Math.floor(i / 4) * 3 + (i % 4)]!,
  );
}
