/** What the self-test's graphs are given, and what must come out. */
import type { Tensor } from 'onnxruntime-web/wasm';
import { floatsToHalves, HALF_BOUND, halvesToFloats } from '../../../shared/half.ts';
import type { Ort } from '../../ort/session.ts';
import { rotaryTables } from '../../rotary.ts';
import type { Precision } from '../../../gpu/precision.ts';
import {
  attention,
  besideRows,
  dequantize4Bit,
  gelu,
  type Heads,
  layerNorm,
  matMul,
  rmsNorm,
  rotate,
} from './arithmetic.ts';

/** What the graphs in public/selftest/ have fixed; the rest of their shapes is free. */
export const FIXED = {
  heads: 2,
  block: 32,
  inner: 256,
  columns: 128,
  epsilon: 1e-6,
} as const;

/** Not a multiple of any tile. */
const TOKENS = 88;
/** One row and many rows are different kernels. */
const ROW_COUNTS = [1, TOKENS] as const;
/** A row of 5 by 3 image tokens after 8 of text. */
const BLOCK = { text: 8, grid: { rows: 5, columns: 3 }, tokens: 23 } as const;

/** One run of a graph. */
export interface Case {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly expected: Float32Array;
}

interface Filled {
  readonly tensor: Tensor;
  /** What the tensor really holds. */
  readonly values: Float32Array;
}

/** Makes every case; the same numbers at every start. */
export class Cases {
  private readonly random = randomNumbers();

  /** @param headWidth of the model that is to run: kernels are compiled for it */
  constructor(
    private readonly ort: Ort,
    private readonly precision: Precision,
    private readonly headWidth: number,
  ) {}

  attention(): Case[] {
    const { heads, width } = this.sizes();
    // Queries and keys large enough for the softmax to prefer some tokens clearly.
    const [query, key, value] = [2, 2, 1].map((scale) =>
      this.floats(this.random(TOKENS * width, scale), [1, TOKENS, width]),
    ) as [Filled, Filled, Filled];
    return [
      {
        feeds: { query: query.tensor, key: key.tensor, value: value.tensor },
        expected: attention(query.values, key.values, value.values, heads),
      },
    ];
  }

  matMul4Bit(): Case[] {
    const { inner } = FIXED;
    return ROW_COUNTS.map((rows) => {
      const input = this.floats(this.random(rows * inner, 1), [rows, inner]);
      const { feeds, values } = this.weights4Bit();
      return {
        feeds: { input: input.tensor, ...feeds },
        expected: matMul(input.values, values, inner),
      };
    });
  }

  /** A block as in the transformer, smaller: scripts/selftest-graphs.ts shows it as a graph. */
  block(): Case[] {
    const { heads, width } = this.sizes();
    const { inner, columns, epsilon } = FIXED;
    const { tokens } = BLOCK;
    const floats = (dims: readonly number[], scale: number, offset = 0): Filled => {
      const size = dims.reduce((a, b) => a * b);
      return this.floats(
        this.random(size, scale).map((x) => x + offset),
        dims,
      );
    };
    const matrix = (from: number, to: number) => floats([from, to], Math.sqrt(3 / from));
    const tables = rotaryTables(BLOCK.text, BLOCK.grid, axesOf(this.headWidth));
    const angles = [tokens, this.headWidth / 2];
    const weights4Bit = this.weights4Bit();
    const given = {
      x: floats([1, tokens, width], 2),
      scale: floats([width], 0.5, 1),
      shift: floats([width], 0.5),
      gate: floats([width], 1),
      query_weights: matrix(width, width),
      key_weights: matrix(width, width),
      value_weights: matrix(width, width),
      query_norm: floats([this.headWidth], 0.5, 1),
      key_norm: floats([this.headWidth], 0.5, 1),
      rotary_cos: this.floats(tables.cos, angles),
      rotary_sin: this.floats(tables.sin, angles),
      wide_weights: matrix(width, inner),
      bias: floats([columns], 0.5),
      output_weights: matrix(width + columns, width),
    };
    const v = Object.fromEntries(
      Object.entries(given).map(([name, { values }]) => [name, values]),
    ) as Record<keyof typeof given, Float32Array>;

    const normed = layerNorm(v.x, v.scale, v.shift, epsilon);
    const turned = (weights: Float32Array, norm: Float32Array) =>
      rotate(
        rmsNorm(matMul(normed, weights, width), norm, epsilon),
        v.rotary_cos,
        v.rotary_sin,
        heads,
      );
    const attended = attention(
      turned(v.query_weights, v.query_norm),
      turned(v.key_weights, v.key_norm),
      matMul(normed, v.value_weights, width),
      heads,
    );
    const wide = matMul(normed, v.wide_weights, width);
    const narrow = matMul(wide, weights4Bit.values, inner).map((x, i) =>
      gelu(x + v.bias[i % columns]!),
    );
    const output = matMul(
      besideRows(attended, narrow, tokens),
      v.output_weights,
      width + columns,
    ).map((y, i) => v.x[i]! + v.gate[i % width]! * y);
    const tensors = Object.entries(given).map(([name, { tensor }]) => [name, tensor]);
    return [
      {
        feeds: { ...(Object.fromEntries(tensors) as Case['feeds']), ...weights4Bit.feeds },
        expected: output,
      },
    ];
  }

  /** Sums beyond half precision, infinite before they are clipped. */
  clipping(): Case[] {
    const x = this.floats(this.random(TOKENS, 50_000), [TOKENS]);
    const expected = x.values.map((value) =>
      Math.min(Math.max(2 * value, -HALF_BOUND), HALF_BOUND),
    );
    return [{ feeds: { input: x.tensor }, expected }];
  }

  private sizes(): { heads: Heads; width: number } {
    const heads = { heads: FIXED.heads, width: this.headWidth };
    return { heads, width: heads.heads * heads.width };
  }

  private weights4Bit(): { feeds: Case['feeds']; values: Float32Array } {
    const { inner, columns, block } = FIXED;
    const blocks = inner / block;
    const scales = this.floats(this.random(columns * blocks, 0.1), [columns * blocks]);
    const weights = Uint8Array.from(this.random((columns * inner) / 2, 1), (x) => (x + 1) * 127.5);
    return {
      feeds: {
        weights: new this.ort.Tensor('uint8', weights, [columns, blocks, block / 2]),
        scales: scales.tensor,
      },
      values: dequantize4Bit(weights, scales.values, inner, block),
    };
  }

  /** A tensor of the precision under test. */
  private floats(values: Float32Array, dims: readonly number[]): Filled {
    const { ort } = this;
    if (this.precision === 'float32') {
      return { tensor: new ort.Tensor('float32', values, dims), values };
    }
    const bits = floatsToHalves(values);
    return { tensor: new ort.Tensor('float16', bits, dims), values: halvesToFloats(bits) };
  }
}

/** As FLUX shares a head's width out, or nearly: an eighth to the first axis, the rest by halves. */
function axesOf(headWidth: number): [number, number, number] {
  const first = 2 * Math.floor(headWidth / 16);
  const second = 2 * Math.floor((headWidth - first) / 4);
  return [first, second, headWidth - first - second];
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
