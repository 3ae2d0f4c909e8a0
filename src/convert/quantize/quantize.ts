/**
 * Matrices in quantized blocks, in the layout of ONNX Runtime's MatMulNBits: every row (output
 * channel) is cut into blocks of 32 inputs, each with its own scale;
 * weight = scale * (code - zeroPoint), where zeroPoint is the middle code, 8 or 128.
 */
import { fromHalf } from '../../shared/half.ts';
import { badWeight } from '../checkpoint/finite.ts';

export const BLOCK = 32;
export type Bits = 4 | 8;

/** How far the range is shrunk in search: clipping the largest values can serve the others. */
export const SHRINKS: Readonly<Record<Bits, readonly number[]>> = {
  4: [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7],
  8: [1],
};

const LARGEST_HALF = 65504;

/** The largest level; the smallest is one further from zero. */
export function topLevel(bits: Bits): number {
  return 2 ** (bits - 1) - 1;
}

/** A matrix in blocks, or some rows of one. */
export interface QuantizedRows {
  /** [rows, columns / 32, 32 * bits / 8]; of two 4-bit codes in a byte the first is the low one. */
  readonly packed: Uint8Array;
  /** Half precision, as bits: [rows, columns / 32]. */
  readonly scales: Uint16Array;
  /** Sum of the squared differences from the weights. */
  readonly squaredError: number;
  /** Sum of the weights' squares. */
  readonly squaredNorm: number;
}

/**
 * Sum of the squares of `weights` [rows, columns].
 * @throws RangeError unless rows are whole blocks.
 * @throws AppError `bad-checkpoint` for one that is not finite, or too large for a half precision
 *   scale. The message is to be put behind the tensor's name.
 */
export function checkedNorm(
  weights: Float32Array,
  rows: number,
  columns: number,
  bits: Bits,
): number {
  if (weights.length !== rows * columns || columns % BLOCK !== 0) {
    throw new RangeError(`cannot cut [${rows}, ${columns}] into blocks of ${BLOCK}`);
  }
  const largest = LARGEST_HALF * topLevel(bits);
  let sum = 0;
  // By index: an iterator takes ten times as long.
  // eslint-disable-next-line @typescript-eslint/prefer-for-of
  for (let i = 0; i < weights.length; i++) {
    const value = weights[i]!;
    if (!(Math.abs(value) <= largest)) {
      throw badWeight(value, `${bits} bits`);
    }
    sum += value * value;
  }
  return sum;
}

/** The matrix that the quantized one stands for, row by row. */
export function dequantizeRows(
  { packed, scales }: Pick<QuantizedRows, 'packed' | 'scales'>,
  bits: Bits,
): Float32Array {
  const zeroPoint = 2 ** (bits - 1);
  const weights = new Float32Array((packed.length * 8) / bits);
  for (let i = 0; i < weights.length; i++) {
    const code = bits === 8 ? packed[i]! : (packed[i >> 1]! >> (4 * (i & 1))) & 15;
    weights[i] = fromHalf(scales[Math.floor(i / BLOCK)]!) * (code - zeroPoint);
  }
  return weights;
}
