/** Where the large graphs are cut: consecutive segments, each with a limit to its stored weights. */
import type { FluxConfig, T5Config } from './configs.ts';
import { matrixStorage, vectorStorage, type Quantization } from './policy.ts';
import { BLOCK } from './quantize.ts';

/** What a GPU buffer, a download and a wasm heap all cope with: 1 GiB. */
const LIMIT = 2 ** 30;

/** Bytes of a number in a modulation's bias, which is always float32. */
const MODULATION_BIAS = 4;

/** Blocks `from` to `to` (exclusive). */
export interface Blocks {
  readonly from: number;
  readonly to: number;
}

export interface TrunkSegment {
  readonly double: Blocks;
  readonly single: Blocks;
}

/** Bytes that weights take where they are stored. */
export interface StoredSizes {
  /** The matrix of the linear layer `module`. */
  matrix(module: string, outputs: number, inputs: number): number;
  /** That many numbers of anything else. */
  numbers(count: number): number;
}

/** As the policy stores them; what pads tensors to their alignment is left out. */
export function storedSizes(quantization: Quantization): StoredSizes {
  const numbers = (count: number): number =>
    count * (vectorStorage(quantization) === 'float32' ? 4 : 2);
  return {
    numbers,
    matrix(module, outputs, inputs) {
      const storage = matrixStorage(quantization, module);
      const count = outputs * inputs;
      if (storage === 'float32') return count * 4;
      if (storage === 'float16' || inputs % BLOCK !== 0) return count * 2;
      // Codes, and a float16 scale for each block.
      return (count * (storage === 'int4' ? 4 : 8)) / 8 + (2 * count) / BLOCK;
    },
  };
}

export const wholeTrunk = (config: FluxConfig): TrunkSegment => ({
  double: { from: 0, to: config.num_layers },
  single: { from: 0, to: config.num_single_layers },
});

export const wholeT5 = (config: T5Config): Blocks => ({ from: 0, to: config.num_layers });

/** The trunk's segments; a block that exceeds the limit has one of its own. */
export function planTrunk(
  config: FluxConfig,
  sizes: StoredSizes,
  limit = LIMIT,
): readonly TrunkSegment[] {
  const { num_layers: doubles, num_single_layers: singles } = config;
  const blocks = [
    ...Array.from({ length: doubles }, () => doubleBlockBytes(config, sizes)),
    ...Array.from({ length: singles }, () => singleBlockBytes(config, sizes)),
  ];
  return pack(embedderBytes(config, sizes), blocks, limit).map(({ from, to }) => ({
    double: { from: Math.min(from, doubles), to: Math.min(to, doubles) },
    single: { from: Math.max(from - doubles, 0), to: Math.max(to - doubles, 0) },
  }));
}

/** The text encoder's segments, as above. */
export function planT5(config: T5Config, sizes: StoredSizes, limit = LIMIT): readonly Blocks[] {
  const { d_model: width, d_ff: wide } = config;
  const inner = config.num_heads * config.d_kv;
  const module = 'encoder.block.0.layer.0.SelfAttention.q';
  const block =
    3 * sizes.matrix(module, inner, width) +
    sizes.matrix(module, width, inner) +
    2 * sizes.matrix(module, wide, width) +
    sizes.matrix(module, width, wide) +
    sizes.numbers(2 * width);
  const table = sizes.numbers(config.vocab_size * width);
  return pack(
    table,
    Array.from({ length: config.num_layers }, () => block),
    limit,
  );
}

/** As many blocks to a segment as the limit allows; `first` comes before all of them. */
function pack(first: number, blocks: readonly number[], limit: number): Blocks[] {
  const segments: Blocks[] = [];
  let from = 0;
  let bytes = first;
  for (const [i, block] of blocks.entries()) {
    if (i > from && bytes + block > limit) {
      segments.push({ from, to: i });
      from = i;
      bytes = 0;
    }
    bytes += block;
  }
  return [...segments, { from, to: blocks.length }];
}

const hiddenOf = (config: FluxConfig): number =>
  config.num_attention_heads * config.attention_head_dim;

/** What comes before the blocks. */
function embedderBytes(config: FluxConfig, sizes: StoredSizes): number {
  const hidden = hiddenOf(config);
  const inputs = [config.in_channels, config.joint_attention_dim, config.pooled_projection_dim];
  const matrix = (width: number): number => sizes.matrix('x_embedder', hidden, width);
  const embedders = config.guidance_embeds ? 3 : 2;
  return (
    inputs.reduce((sum, width) => sum + matrix(width), 0) +
    embedders * (matrix(256) + matrix(hidden)) +
    sizes.numbers(2 * (1 + embedders) * hidden)
  );
}

function doubleBlockBytes(config: FluxConfig, sizes: StoredSizes): number {
  const hidden = hiddenOf(config);
  const block = 'transformer_blocks.0';
  const stream =
    sizes.matrix(`${block}.norm1.linear`, 6 * hidden, hidden) +
    4 * sizes.matrix(`${block}.attn.to_q`, hidden, hidden) +
    sizes.matrix(`${block}.ff.net.0.proj`, 4 * hidden, hidden) +
    sizes.matrix(`${block}.ff.net.2`, hidden, 4 * hidden) +
    sizes.numbers(9 * hidden + 2 * config.attention_head_dim) +
    MODULATION_BIAS * 6 * hidden;
  return 2 * stream;
}

function singleBlockBytes(config: FluxConfig, sizes: StoredSizes): number {
  const hidden = hiddenOf(config);
  const block = 'single_transformer_blocks.0';
  return (
    sizes.matrix(`${block}.norm.linear`, 3 * hidden, hidden) +
    3 * sizes.matrix(`${block}.attn.to_q`, hidden, hidden) +
    sizes.matrix(`${block}.proj_mlp`, 4 * hidden, hidden) +
    sizes.matrix(`${block}.proj_out`, hidden, 5 * hidden) +
    sizes.numbers(8 * hidden + 2 * config.attention_head_dim) +
    MODULATION_BIAS * 3 * hidden
  );
}
