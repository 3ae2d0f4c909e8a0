/** What quantizes a conversion's matrices: the processor here, or a GPU (src/runtime/webgpu). */
import { type Bits, BLOCK, checkedNorm, type QuantizedRows } from './quantize.ts';
import { ScaleSearch } from './scale-search.ts';

export interface Quantizer {
  /**
   * Rows [rows, columns] of a matrix, columns a multiple of 32. Several calls may be under way at
   * once; the weights must stay as they are until theirs is done.
   * @throws RangeError unless rows are whole blocks of 32.
   * @throws AppError `bad-checkpoint` for a weight that is not finite or too large, with a message to
   *   be put behind the tensor's name; `device-lost` from a GPU.
   */
  quantize(
    weights: Float32Array,
    rows: number,
    columns: number,
    bits: Bits,
  ): Promise<QuantizedRows>;
  dispose(): void;
}

/** Holds up its thread for as long as a call lasts. */
export function cpuQuantizer(): Quantizer {
  return {
    quantize: async (weights, rows, columns, bits) => quantizeRows(weights, rows, columns, bits),
    dispose: () => undefined,
  };
}

function quantizeRows(
  weights: Float32Array,
  rows: number,
  columns: number,
  bits: Bits,
): QuantizedRows {
  const squaredNorm = checkedNorm(weights, rows, columns, bits);
  const blocks = weights.length / BLOCK;
  const packed = new Uint8Array((weights.length * bits) / 8);
  const scales = new Uint16Array(blocks);
  const search = new ScaleSearch(bits);
  let squaredError = 0;
  for (let block = 0; block < blocks; block++) {
    search.find(weights, block * BLOCK);
    scales[block] = search.scale;
    squaredError += search.squaredError;
    search.encode(packed, (block * BLOCK * bits) / 8);
  }
  return { packed, scales, squaredError, squaredNorm };
}
