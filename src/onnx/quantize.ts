/**
 * Block-wise quantization of a weight matrix, in the layout of ONNX Runtime's MatMulNBits:
 * every row (output channel) is cut into blocks of 32 inputs, each with its own scale;
 * weight = scale * (code - zeroPoint), where zeroPoint is the middle code, 8 or 128.
 */
import { fromHalf, toHalf } from '../half.ts';

export const BLOCK = 32;
export type Bits = 4 | 8;

export interface QuantizedMatrix {
  readonly bits: Bits;
  /** [rows, columns / 32, 32 * bits / 8]; of two 4-bit codes in a byte the first is the low one. */
  readonly packed: Uint8Array;
  /** Half precision, as bits: [rows, columns / 32]. */
  readonly scales: Uint16Array;
}

/** `weights`: [rows, columns]; columns must be a multiple of 32. */
export function quantizeMatrix(
  weights: Float32Array,
  rows: number,
  columns: number,
  bits: Bits,
): QuantizedMatrix {
  if (weights.length !== rows * columns || columns % BLOCK !== 0) {
    throw new RangeError(`cannot cut [${rows}, ${columns}] into blocks of ${BLOCK}`);
  }
  const blocks = weights.length / BLOCK;
  const scales = new Uint16Array(blocks);
  const codes = new Uint8Array(weights.length);
  for (let block = 0; block < blocks; block++) {
    const values = weights.subarray(block * BLOCK, (block + 1) * BLOCK);
    const scale = bestScale(values, bits);
    scales[block] = scale;
    encode(values, fromHalf(scale), bits, codes.subarray(block * BLOCK, (block + 1) * BLOCK));
  }
  return { bits, packed: bits === 4 ? packNibbles(codes) : codes, scales };
}

/** The matrix that the quantized one stands for, [rows, columns] row by row. */
export function dequantizeMatrix({ bits, packed, scales }: QuantizedMatrix): Float32Array {
  const zeroPoint = 2 ** (bits - 1);
  const weights = new Float32Array((packed.length * 8) / bits);
  for (let i = 0; i < weights.length; i++) {
    const code = bits === 8 ? packed[i]! : (packed[i >> 1]! >> (4 * (i & 1))) & 15;
    weights[i] = fromHalf(scales[Math.floor(i / BLOCK)]!) * (code - zeroPoint);
  }
  return weights;
}

/** The scale that maps the largest magnitude to the largest code: the usual choice. */
export function absmaxScale(values: Float32Array, bits: Bits): number {
  return toHalf(Math.abs(extremeOf(values)) / (2 ** (bits - 1) - 1));
}

/** Sum of squared errors of a block under a scale given as half precision bits. */
export function squaredError(values: Float32Array, scaleBits: number, bits: Bits): number {
  const scale = fromHalf(scaleBits);
  const top = 2 ** (bits - 1) - 1;
  const inverse = inverseOf(scale);
  let sum = 0;
  for (const value of values) {
    const error = value - scale * level(value * inverse, top);
    sum += error * error;
  }
  return sum;
}

/** How far the range is shrunk in search: clipping the largest values can serve the others. */
const SHRINKS = { 4: [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7], 8: [1] };

/**
 * The scale, as half precision bits, with the least squared error that the search finds: among
 * shrunk ranges of both signs (the codes reach one step further below zero than above), each
 * with the scale that least squares gives for its levels; never worse than the absmax scale.
 */
export function bestScale(values: Float32Array, bits: Bits): number {
  const extreme = extremeOf(values);
  const top = 2 ** (bits - 1) - 1;
  // For given levels q the best scale is v·q / q·q, and it explains (v·q)² / q·q of v·v.
  let bestExplained = 0;
  let found = 0;
  for (const reach of [-top - 1, top]) {
    for (const shrink of SHRINKS[bits]) {
      const inverse = inverseOf((extreme / reach) * shrink);
      let dot = 0;
      let norm = 0;
      for (const value of values) {
        const rounded = level(value * inverse, top);
        dot += value * rounded;
        norm += rounded * rounded;
      }
      if (dot * dot > bestExplained * norm) {
        bestExplained = (dot * dot) / norm;
        found = dot / norm;
      }
    }
  }
  const usual = absmaxScale(values, bits);
  const searched = toHalf(found);
  const isBetter = squaredError(values, searched, bits) < squaredError(values, usual, bits);
  return isBetter ? searched : usual;
}

/** The value of the largest magnitude, with its sign. */
function extremeOf(values: Float32Array): number {
  let extreme = 0;
  for (const value of values) {
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  return extreme;
}

function inverseOf(scale: number): number {
  return scale === 0 ? 0 : 1 / scale;
}

/** The nearest of the levels -top - 1 to top. */
function level(value: number, top: number): number {
  const rounded = Math.floor(value + 0.5);
  return rounded > top ? top : rounded < -top - 1 ? -top - 1 : rounded;
}

function encode(values: Float32Array, scale: number, bits: Bits, codes: Uint8Array): void {
  const top = 2 ** (bits - 1) - 1;
  const inverse = inverseOf(scale);
  for (let i = 0; i < values.length; i++) codes[i] = level(values[i]! * inverse, top) + top + 1;
}

function packNibbles(codes: Uint8Array): Uint8Array {
  const packed = new Uint8Array(codes.length / 2);
  for (let i = 0; i < packed.length; i++) packed[i] = codes[2 * i]! | (codes[2 * i + 1]! << 4);
  return packed;
}
