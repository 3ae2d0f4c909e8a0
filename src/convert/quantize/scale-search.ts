/** The search for the scale of a block, on the processor. */
import { fromHalf, toHalf } from '../../shared/half.ts';
import { type Bits, BLOCK, SHRINKS, topLevel } from './quantize.ts';

/**
 * Finds the scale with the least squared error among shrunk ranges of both signs (the codes reach
 * one step further below zero than above), each with the scale that least squares gives for its
 * levels; never worse than the scale that maps the largest magnitude to the largest level. Blocks
 * too small for any half precision scale become zero.
 *
 * Memory is taken once for all blocks, and all numbers are float64: these loops run some 17 times
 * over every weight of a checkpoint. shaders/quantize.wgsl does the same on the GPU.
 */
export class ScaleSearch {
  /** Of the last block: its scale as half precision bits, and the squared error under it. */
  scale = 0;
  squaredError = 0;

  private readonly values = new Float64Array(BLOCK);
  private readonly shrinks: Float64Array;
  /** v·q and q·q of every candidate's levels q, those of the first sign before the others. */
  private readonly dots: Float64Array;
  private readonly norms: Float64Array;
  /** The level of every rounded number, clipped, at an offset: faster than to compare. */
  private readonly levels: Float64Array;
  private readonly top: number;

  constructor(private readonly bits: Bits) {
    const top = topLevel(bits);
    const offset = 2 ** bits;
    this.top = top;
    this.shrinks = Float64Array.from(SHRINKS[bits]);
    this.dots = new Float64Array(2 * this.shrinks.length);
    this.norms = new Float64Array(2 * this.shrinks.length);
    this.levels = Float64Array.from({ length: 2 * offset }, (_, i) => clipped(i - offset, top));
  }

  /** Sets `scale` and `squaredError` for the block that begins at `start`. */
  find(weights: Float32Array, start: number): void {
    const { values } = this;
    let extreme = 0;
    for (let i = 0; i < BLOCK; i++) {
      const value = weights[start + i]!;
      values[i] = value;
      if (Math.abs(value) > Math.abs(extreme)) extreme = value;
    }
    const usual = toHalf(Math.abs(extreme) / this.top);
    const searched = toHalf(this.leastSquares(extreme));
    const usualError = this.errorUnder(usual);
    const searchedError = this.errorUnder(searched);
    const isBetter = searchedError < usualError;
    this.scale = isBetter ? searched : usual;
    this.squaredError = isBetter ? searchedError : usualError;
  }

  /** Writes the last block's codes from `start` on. */
  encode(packed: Uint8Array, start: number): void {
    const { values, top, bits } = this;
    const inverse = inverseOf(fromHalf(this.scale));
    if (bits === 8) {
      for (let i = 0; i < BLOCK; i++) {
        packed[start + i] = clipped(rounded(values[i]! * inverse), top) + top + 1;
      }
      return;
    }
    for (let i = 0; i < BLOCK; i += 2) {
      const low = clipped(rounded(values[i]! * inverse), top) + top + 1;
      const high = clipped(rounded(values[i + 1]! * inverse), top) + top + 1;
      packed[start + (i >> 1)] = low | (high << 4);
    }
  }

  /**
   * The best scale of all candidates. For given levels q it is v·q / q·q, and it explains
   * (v·q)² / q·q of v·v.
   */
  private leastSquares(extreme: number): number {
    const { values, shrinks, dots, norms, levels, top } = this;
    const count = shrinks.length;
    const offset = levels.length / 2;
    for (let k = 0; k < count; k++) {
      // Both signs at once, as neither sum has to wait for the other. No value is beyond the
      // table: it is at most reach / shrink in magnitude.
      const down = inverseOf((extreme / (-top - 1)) * shrinks[k]!);
      const up = inverseOf((extreme / top) * shrinks[k]!);
      let downDot = 0;
      let downNorm = 0;
      let upDot = 0;
      let upNorm = 0;
      for (let i = 0; i < BLOCK; i++) {
        const value = values[i]!;
        const downLevel = levels[(rounded(value * down) + offset) | 0]!;
        downDot += value * downLevel;
        downNorm += downLevel * downLevel;
        const upLevel = levels[(rounded(value * up) + offset) | 0]!;
        upDot += value * upLevel;
        upNorm += upLevel * upLevel;
      }
      dots[k] = downDot;
      norms[k] = downNorm;
      dots[count + k] = upDot;
      norms[count + k] = upNorm;
    }
    let bestExplained = 0;
    let found = 0;
    for (let k = 0; k < dots.length; k++) {
      const dot = dots[k]!;
      const norm = norms[k]!;
      if (dot * dot > bestExplained * norm) {
        bestExplained = (dot * dot) / norm;
        found = dot / norm;
      }
    }
    return found;
  }

  private errorUnder(scaleBits: number): number {
    const { values, top } = this;
    const scale = fromHalf(scaleBits);
    const inverse = inverseOf(scale);
    let sum = 0;
    for (let i = 0; i < BLOCK; i++) {
      const value = values[i]!;
      const error = value - scale * clipped(rounded(value * inverse), top);
      sum += error * error;
    }
    return sum;
  }
}

function inverseOf(scale: number): number {
  return scale === 0 ? 0 : 1 / scale;
}

/** The nearest integer; of two the greater. */
function rounded(value: number): number {
  return Math.floor(value + 0.5);
}

/** The nearest of the levels -top - 1 to top. */
function clipped(level: number, top: number): number {
  return level > top ? top : level < -top - 1 ? -top - 1 : level;
}
