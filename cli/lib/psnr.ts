/**
 * Peak signal-to-noise ratio of two RGBA pictures in decibels, over red, green and blue of 8 bits;
 * infinite for equal pictures. Higher is closer.
 */
export function psnr(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  if (a.length !== b.length) throw new RangeError('pictures of different sizes');
  let squares = 0;
  for (let i = 0; i < a.length; i++) {
    if (i % 4 !== 3) squares += (a[i]! - b[i]!) ** 2;
  }
  const meanSquare = squares / (a.length * 0.75);
  return meanSquare === 0 ? Infinity : 10 * Math.log10(255 ** 2 / meanSquare);
}
