/**
 * Structural similarity (Wang, Bovik, Sheikh, Simoncelli, Image Quality Assessment: From Error
 * Visibility to Structural Similarity, 2004) in its standard form: a Gaussian window of 11x11 with
 * sigma 1.5, K1 = 0.01, K2 = 0.03, on luma of 8 bits.
 */

const RADIUS = 5;
const SIGMA = 1.5;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/** One side of the window; the window is its outer product, and sums to 1. */
const WINDOW = normalized(
  Array.from({ length: 2 * RADIUS + 1 }, (_, i) =>
    Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA ** 2)),
  ),
);

/**
 * Mean similarity of two RGBA pictures, -1 to 1, 1 for equal ones, over all windows that lie
 * wholly inside. Pictures must be at least 11 pixels wide and high.
 */
export function ssim(
  a: Uint8ClampedArray,
  b: Uint8ClampedArray,
  width: number,
  height: number,
): number {
  if (a.length !== b.length) throw new RangeError('pictures of different sizes');
  if (a.length !== 4 * width * height) throw new RangeError('not a picture of that size');
  if (Math.min(width, height) < WINDOW.length) throw new RangeError('a picture below 11x11');
  const x = luma(a);
  const y = luma(b);
  const blurred = (values: Float64Array): Float64Array => blur(values, width, height);
  const meanX = blurred(x);
  const meanY = blurred(y);
  const squareX = blurred(x.map((value) => value * value));
  const squareY = blurred(y.map((value) => value * value));
  const product = blurred(x.map((value, i) => value * y[i]!));
  let sum = 0;
  for (let i = 0; i < meanX.length; i++) {
    const both = meanX[i]! * meanY[i]!;
    const squares = meanX[i]! ** 2 + meanY[i]! ** 2;
    const covariance = product[i]! - both;
    const variances = squareX[i]! + squareY[i]! - squares;
    sum += ((2 * both + C1) * (2 * covariance + C2)) / ((squares + C1) * (variances + C2));
  }
  return sum / meanX.length;
}

/** ITU-R BT.601, not rounded. */
function luma(rgba: Uint8ClampedArray): Float64Array {
  return Float64Array.from(
    { length: rgba.length / 4 },
    (_, i) => 0.299 * rgba[4 * i]! + 0.587 * rgba[4 * i + 1]! + 0.114 * rgba[4 * i + 2]!,
  );
}

/** Weighted sums under the window wherever it fits: [height - 10, width - 10]. */
function blur(values: Float64Array, width: number, height: number): Float64Array {
  const columns = width - 2 * RADIUS;
  const rows = height - 2 * RADIUS;
  const across = Float64Array.from({ length: height * columns }, (_, i) => {
    const start = Math.floor(i / columns) * width + (i % columns);
    return WINDOW.reduce((sum, weight, j) => sum + weight * values[start + j]!, 0);
  });
  return Float64Array.from({ length: rows * columns }, (_, i) =>
    WINDOW.reduce((sum, weight, j) => sum + weight * across[i + j * columns]!, 0),
  );
}

function normalized(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
