/**
 * Runs ONNX Runtime's two kernels that are known to go wrong on some GPUs, attention and 4-bit
 * matrix multiplication, and compares them with plain arithmetic. A device is trusted only when
 * both agree.
 */
import type { Tensor } from 'onnxruntime-web/wasm';
import { floatsToHalves, halvesToFloats } from '../../half.ts';
import { outputOf, runSession, type Ort, type Runner } from '../ort.ts';
import type { Precision } from './precision.ts';

export interface SelfTestResult {
  readonly precision: Precision;
  /** Largest error over the largest value. */
  readonly attentionError: number;
  readonly matMulError: number;
  /** Above this the device is not trusted. */
  readonly tolerance: number;
  readonly passed: boolean;
}

/** Rounding errors were at most a tenth of these; the known faults are 3 % and more. */
const TOLERANCE: Record<Precision, number> = { float32: 1e-4, float16: 1e-2 };

/** What the graphs in public/selftest/ have fixed; the rest of their shapes is free. */
export const FIXED = { heads: 2, block: 32, inner: 256, columns: 128 } as const;
const { heads: HEADS, block: BLOCK, inner: INNER, columns: COLUMNS } = FIXED;

/** Not a multiple of any tile. */
const TOKENS = 88;
/** One row and many rows are different kernels. */
const ROW_COUNTS = [1, TOKENS] as const;

/**
 * @param device that ONNX Runtime is to run on
 * @param headWidth of the model that is to run: kernels are compiled for it
 * @param file reads a file of public/selftest/ by name
 */
export async function selfTest(
  runner: Runner,
  ort: Ort,
  device: GPUDevice,
  precision: Precision,
  headWidth: number,
  file: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<SelfTestResult> {
  const random = randomNumbers();
  const run = async (
    name: string,
    cases: readonly { feeds: Record<string, Tensor>; expected: Float32Array }[],
  ): Promise<number> => {
    const graph = await file(`${name}.${precision}.onnx`);
    const session = await runner.run(() =>
      ort.InferenceSession.create(graph, {
        executionProviders: [{ name: 'webgpu', device, validationMode: 'wgpuOnly' }],
      }),
    );
    try {
      let worst = 0;
      for (const { feeds, expected } of cases) {
        const result = outputOf(await runSession(runner, session, feeds), 'output');
        const actual = await runner.run(() => result.getData());
        const values =
          precision === 'float16'
            ? halvesToFloats(actual as Uint16Array)
            : (actual as Float32Array);
        worst = Math.max(worst, relativeError(values, expected));
      }
      return worst;
    } finally {
      await runner.run(() => session.release());
    }
  };

  /** A tensor of the precision under test, and the values that it really holds. */
  const floats = (values: Float32Array, dims: readonly number[]) => {
    if (precision === 'float32') {
      return { tensor: new ort.Tensor('float32', values, dims), values };
    }
    const bits = floatsToHalves(values);
    return { tensor: new ort.Tensor('float16', bits, dims), values: halvesToFloats(bits) };
  };

  const width = HEADS * headWidth;
  // Queries and keys large enough for the softmax to prefer some tokens clearly.
  const [query, key, value] = [2, 2, 1].map((scale) =>
    floats(random(TOKENS * width, scale), [1, TOKENS, width]),
  ) as [Filled, Filled, Filled];
  const attentionError = await run('attention', [
    {
      feeds: { query: query.tensor, key: key.tensor, value: value.tensor },
      expected: attention(query.values, key.values, value.values, headWidth),
    },
  ]);

  const matMulError = await run(
    'matmul-4bit',
    ROW_COUNTS.map((rows) => {
      const input = floats(random(rows * INNER, 1), [rows, INNER]);
      const blocks = INNER / BLOCK;
      const scales = floats(random(COLUMNS * blocks, 0.1), [COLUMNS * blocks]);
      const weights = Uint8Array.from(random((COLUMNS * INNER) / 2, 1), (x) => (x + 1) * 127.5);
      return {
        feeds: {
          input: input.tensor,
          weights: new ort.Tensor('uint8', weights, [COLUMNS, blocks, BLOCK / 2]),
          scales: scales.tensor,
        },
        expected: matMul4Bit(input.values, weights, scales.values, rows),
      };
    }),
  );

  const tolerance = TOLERANCE[precision];
  // Written so that NaN fails.
  const passed = attentionError <= tolerance && matMulError <= tolerance;
  return { precision, attentionError, matMulError, tolerance, passed };
}

interface Filled {
  readonly tensor: Tensor;
  readonly values: Float32Array;
}

/** softmax(Q K^T / sqrt(head width)) V for each head; all are [TOKENS, HEADS * head width]. */
function attention(
  query: Float32Array,
  key: Float32Array,
  value: Float32Array,
  headWidth: number,
): Float32Array {
  const stride = HEADS * headWidth;
  const output = new Float32Array(TOKENS * stride);
  for (let head = 0; head < HEADS; head++) {
    for (let to = 0; to < TOKENS; to++) {
      const scores = Array.from({ length: TOKENS }, (_, from) => {
        let dot = 0;
        for (let i = 0; i < headWidth; i++) {
          dot +=
            query[to * stride + head * headWidth + i]! * key[from * stride + head * headWidth + i]!;
        }
        return dot / Math.sqrt(headWidth);
      });
      const highest = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - highest));
      const sum = shares.reduce((a, b) => a + b);
      for (let i = 0; i < headWidth; i++) {
        const column = head * headWidth + i;
        let mixed = 0;
        for (let from = 0; from < TOKENS; from++)
          mixed += shares[from]! * value[from * stride + column]!;
        output[to * stride + column] = mixed / sum;
      }
    }
  }
  return output;
}

/**
 * input [rows, INNER] times the transpose of the dequantized weights [COLUMNS, INNER]: two
 * numbers to a byte, the low half first, each minus 8 times its block's scale.
 */
function matMul4Bit(
  input: Float32Array,
  weights: Uint8Array,
  scales: Float32Array,
  rows: number,
): Float32Array {
  const output = new Float32Array(rows * COLUMNS);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      let sum = 0;
      for (let i = 0; i < INNER; i++) {
        const at = column * INNER + i;
        const byte = weights[at >> 1]!;
        const step = (at & 1 ? byte >> 4 : byte & 15) - 8;
        sum += input[row * INNER + i]! * step * scales[Math.floor(at / BLOCK)]!;
      }
      output[row * COLUMNS + column] = sum;
    }
  }
  return output;
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= worst)) worst = error;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}

/** Fills arrays with the same numbers at every start, even over -scale to scale. */
function randomNumbers(): (length: number, scale: number) => Float32Array {
  let state = 1;
  const next = (): number => {
    // Numerical Recipes' linear congruence; its high bits are good enough here.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return (length, scale) => Float32Array.from({ length }, () => scale * next());
}
