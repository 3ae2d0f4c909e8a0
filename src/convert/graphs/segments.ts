/** Where the large graphs are cut: consecutive segments, each with a limit to its stored weights. */
import { SINUSOID } from './components/conditioning.ts';
import type { FluxConfig, T5Config } from '../checkpoint/configs.ts';
import { matrixStorage, vectorStorage, type Quantization } from '../quantize/precision-policy.ts';
import { BLOCK } from '../quantize/quantize.ts';

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
    ...Array.from({ length: doubles }, (_, i) => doubleBlockBytes(config, sizes, i)),
    ...Array.from({ length: singles }, (_, i) => singleBlockBytes(config, sizes, i)),
  ];
  return pack(embedderBytes(config, sizes), blocks, limit).map(({ from, to }) => ({
    double: { from: Math.min(from, doubles), to: Math.min(to, doubles) },
    single: { from: Math.max(from - doubles, 0), to: Math.max(to - doubles, 0) },
  }));
}

/** The text encoder's segments, as above. */
export function planT5(config: T5Config, sizes: StoredSizes, limit = LIMIT): readonly Blocks[] {
  const { d_model: width, vocab_size: words, num_layers: count } = config;
  const blocks = Array.from({ length: count }, (_, i) => t5BlockBytes(config, sizes, i));
  return pack(sizes.numbers(words * width), blocks, limit);
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

/** A linear layer: its module, and its outputs and inputs. */
type Linear = readonly [module: string, outputs: number, inputs: number];

const matrices = (sizes: StoredSizes, linears: readonly Linear[]): number =>
  linears.reduce((sum, linear) => sum + sizes.matrix(...linear), 0);

const hiddenOf = (config: FluxConfig): number =>
  config.num_attention_heads * config.attention_head_dim;

/** What comes before the trunk's blocks, the conditioning included. */
function embedderBytes(config: FluxConfig, sizes: StoredSizes): number {
  const hidden = hiddenOf(config);
  const embedder = (name: string, width: number): Linear[] => [
    [`time_text_embed.${name}.linear_1`, hidden, width],
    [`time_text_embed.${name}.linear_2`, hidden, hidden],
  ];
  const linears: Linear[] = [
    ['x_embedder', hidden, config.in_channels],
    ['context_embedder', hidden, config.joint_attention_dim],
    ...embedder('timestep_embedder', SINUSOID),
    ...(config.guidance_embeds ? embedder('guidance_embedder', SINUSOID) : []),
    ...embedder('text_embedder', config.pooled_projection_dim),
  ];
  return matrices(sizes, linears) + sizes.numbers(linears.length * hidden);
}

function doubleBlockBytes(config: FluxConfig, sizes: StoredSizes, i: number): number {
  const hidden = hiddenOf(config);
  const block = `transformer_blocks.${i}`;
  const attention = ['to_q', 'to_k', 'to_v', 'to_out.0'];
  const added = ['add_q_proj', 'add_k_proj', 'add_v_proj', 'to_add_out'];
  const feedForward = (name: string): Linear[] => [
    [`${block}.${name}.net.0.proj`, 4 * hidden, hidden],
    [`${block}.${name}.net.2`, hidden, 4 * hidden],
  ];
  const linears: Linear[] = [
    [`${block}.norm1.linear`, 6 * hidden, hidden],
    [`${block}.norm1_context.linear`, 6 * hidden, hidden],
    ...[...attention, ...added].map((name): Linear => [`${block}.attn.${name}`, hidden, hidden]),
    ...feedForward('ff'),
    ...feedForward('ff_context'),
  ];
  const vectors = sizes.numbers(18 * hidden + 4 * config.attention_head_dim);
  return matrices(sizes, linears) + vectors + MODULATION_BIAS * 12 * hidden;
}

function singleBlockBytes(config: FluxConfig, sizes: StoredSizes, i: number): number {
  const hidden = hiddenOf(config);
  const block = `single_transformer_blocks.${i}`;
  const linears: Linear[] = [
    [`${block}.norm.linear`, 3 * hidden, hidden],
    ...['to_q', 'to_k', 'to_v'].map((name): Linear => [`${block}.attn.${name}`, hidden, hidden]),
    [`${block}.proj_mlp`, 4 * hidden, hidden],
    [`${block}.proj_out`, hidden, 5 * hidden],
  ];
  const vectors = sizes.numbers(8 * hidden + 2 * config.attention_head_dim);
  return matrices(sizes, linears) + vectors + MODULATION_BIAS * 3 * hidden;
}

function t5BlockBytes(config: T5Config, sizes: StoredSizes, i: number): number {
  const { d_model: width, d_ff: wide } = config;
  const inner = config.num_heads * config.d_kv;
  const attention = `encoder.block.${i}.layer.0.SelfAttention`;
  const feedForward = `encoder.block.${i}.layer.1.DenseReluDense`;
  const linears: Linear[] = [
    ...['q', 'k', 'v'].map((name): Linear => [`${attention}.${name}`, inner, width]),
    [`${attention}.o`, width, inner],
    [`${feedForward}.wi_0`, wide, width],
    [`${feedForward}.wi_1`, wide, width],
    [`${feedForward}.wo`, width, wide],
  ];
  return matrices(sizes, linears) + sizes.numbers(2 * width);
}
