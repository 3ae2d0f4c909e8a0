/** What the self-test's graphs compute, by plain loops over rows of numbers. */

/** How a tensor [rows, heads * width] is cut into heads. */
export interface Heads {
  readonly heads: number;
  readonly width: number;
}

/** softmax(Q K^T / sqrt(width)) V for each head; all are [tokens, heads * width]. */
export function attention(
  query: Float32Array,
  key: Float32Array,
  value: Float32Array,
  { heads, width }: Heads,
): Float32Array {
  const stride = heads * width;
  const tokens = query.length / stride;
  const output = new Float32Array(query.length);
  for (let head = 0; head < heads; head++) {
    for (let to = 0; to < tokens; to++) {
      const scores = Array.from({ length: tokens }, (_, from) => {
        let dot = 0;
        for (let i = head * width; i < (head + 1) * width; i++) {
          dot += query[to * stride + i]! * key[from * stride + i]!;
        }
        return dot / Math.sqrt(width);
      });
      const highest = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - highest));
      const sum = shares.reduce((a, b) => a + b);
      for (let i = head * width; i < (head + 1) * width; i++) {
        let mixed = 0;
        for (let from = 0; from < tokens; from++)
          mixed += shares[from]! * value[from * stride + i]!;
        output[to * stride + i] = mixed / sum;
      }
    }
  }
  return output;
}

/** [rows, inner] times [inner, columns]. */
export function matMul(input: Float32Array, weights: Float32Array, inner: number): Float32Array {
  const rows = input.length / inner;
  const columns = weights.length / inner;
  const output = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < inner; i++)
        sum += input[row * inner + i]! * weights[i * columns + column]!;
      output[row * columns + column] = sum;
    }
  }
  return output;
}

/**
 * The dequantized weights of a MatMulNBits of 4 bits, transposed to [inner, columns]: two numbers
 * to a byte, the low half first, each minus 8 times its block's scale.
 */
export function dequantize4Bit(
  weights: Uint8Array,
  scales: Float32Array,
  inner: number,
  block: number,
): Float32Array {
  const columns = (2 * weights.length) / inner;
  const output = new Float32Array(inner * columns);
  for (let at = 0; at < output.length; at++) {
    const byte = weights[at >> 1]!;
    const step = (at & 1 ? byte >> 4 : byte & 15) - 8;
    const column = Math.floor(at / inner);
    output[(at % inner) * columns + column] = step * scales[Math.floor(at / block)]!;
  }
  return output;
}

/** Each row of `scale.length` numbers to mean 0 and variance 1, times `scale`, plus `bias`. */
export function layerNorm(
  input: Float32Array,
  scale: Float32Array,
  bias: Float32Array,
  epsilon: number,
): Float32Array {
  return eachRow(input, scale.length, (row) => {
    const mean = average(row, (x) => x);
    const deviation = Math.sqrt(average(row, (x) => (x - mean) ** 2) + epsilon);
    return row.map((x, i) => ((x - mean) / deviation) * scale[i]! + bias[i]!);
  });
}

/** Each row of `scale.length` numbers, a head of a token, to mean square 1, times `scale`. */
export function rmsNorm(input: Float32Array, scale: Float32Array, epsilon: number): Float32Array {
  return eachRow(input, scale.length, (row) => {
    const root = Math.sqrt(average(row, (x) => x * x) + epsilon);
    return row.map((x, i) => (x / root) * scale[i]!);
  });
}

/** Turns neighbouring numbers of every head by its token's angles; cos, sin: [tokens, width / 2]. */
export function rotate(
  input: Float32Array,
  cos: Float32Array,
  sin: Float32Array,
  { heads, width }: Heads,
): Float32Array {
  const output = new Float32Array(input.length);
  for (let at = 0; at < input.length; at += 2) {
    const token = Math.floor(at / (heads * width));
    const angle = (token * width) / 2 + (at % width) / 2;
    const [x, y] = [input[at]!, input[at + 1]!];
    output[at] = x * cos[angle]! - y * sin[angle]!;
    output[at + 1] = y * cos[angle]! + x * sin[angle]!;
  }
  return output;
}

/** GELU by tanh, as in FLUX. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** [rows, a] and [rows, b] side by side. */
export function besideRows(left: Float32Array, right: Float32Array, rows: number): Float32Array {
  const widths = [left.length / rows, right.length / rows] as const;
  const output = new Float32Array(left.length + right.length);
  for (let row = 0; row < rows; row++) {
    const at = row * (widths[0] + widths[1]);
    output.set(left.subarray(row * widths[0], (row + 1) * widths[0]), at);
    output.set(right.subarray(row * widths[1], (row + 1) * widths[1]), at + widths[0]);
  }
  return output;
}

function eachRow(
  input: Float32Array,
  width: number,
  change: (row: Float32Array) => Float32Array,
): Float32Array {
  const output = new Float32Array(input.length);
  for (let at = 0; at < input.length; at += width) {
    output.set(change(input.subarray(at, at + width)), at);
  }
  return output;
}

function average(row: Float32Array, of: (x: number) => number): number {
  return row.reduce((sum, x) => sum + of(x), 0) / row.length;
}
