/** Which weights are stored how: the one place where precision is decided. */

/**
 * How the bundle as a whole is stored. `int4` is for large models, `mixed` for small ones, which
 * need 8 bits in more places; `none` keeps float32, to compare with PyTorch.
 */
export const QUANTIZATIONS = ['mixed', 'int4', 'int8', 'f16', 'none'] as const;
export type Quantization = (typeof QUANTIZATIONS)[number];

export type Storage = 'int4' | 'int8' | 'float16' | 'float32';

/** The transformer's blocks have most of the weights. */
const BLOCK = /^(single_)?transformer_blocks\.\d+\./;

/**
 * What stays in 4 bits in a small model too: on one of 23 million parameters these have 45 % of the
 * blocks' weights and cause a ninth of the velocity's squared error (training/sensitivity.py).
 */
const SMALL_INT4 =
  /^(transformer_blocks\.\d+\.(ff_context\.|norm1(_context)?\.)|single_transformer_blocks\.\d+\.(norm\.|attn\.to_[qk]$))/;

/**
 * What gains most for the bytes that it costs on FLUX.1, as far as two small models tell
 * (docs/bundle.md): the values of the single blocks, and the first double block. Both together are
 * 0.3 GB more there than 4 bits everywhere, which are 6.7 GB.
 */
const SENSITIVE =
  /^(transformer_blocks\.0\.(attn|ff|ff_context)\.|single_transformer_blocks\.\d+\.attn\.to_v$)/;

/**
 * T5, of which XXL is half as large as FLUX.1 itself. In 4 bits it puts the velocity off by a
 * seventh of what the transformer does, and 40 % of that squared come from the `wo` alone.
 */
const T5_BLOCK = /^encoder\.block\.\d+\./;
const T5_SENSITIVE = /\.wo$/;

/**
 * Where the transformer begins and ends: everything passes through these, the head at every
 * step, and they are small.
 */
const ENTRANCE_OR_EXIT = /^(x_embedder$|context_embedder$|time_text_embed\.|norm_out\.|proj_out$)/;

/** Attention of an AutoencoderKL: next to nothing in size, and its errors would be seen. */
const AUTOENCODER = /^(encoder|decoder)\.mid_block\./;

/** Storage of a linear's matrix, by the name of its module in the checkpoint. */
export function matrixStorage(quantization: Quantization, module: string): Storage {
  if (quantization === 'none') return 'float32';
  if (quantization === 'f16' || [ENTRANCE_OR_EXIT, AUTOENCODER].some((one) => one.test(module))) {
    return 'float16';
  }
  if (quantization === 'int8') return 'int8';
  const inInt4 = quantization === 'mixed' ? SMALL_INT4.test(module) : isInt4(module);
  return inInt4 ? 'int4' : 'int8';
}

/** CLIP, in none of the groups, is small. */
function isInt4(module: string): boolean {
  if (BLOCK.test(module)) return !SENSITIVE.test(module);
  return T5_BLOCK.test(module) && !T5_SENSITIVE.test(module);
}

/** Storage of everything else: biases, norms, embeddings, convolutions. */
export function vectorStorage(quantization: Quantization): 'float16' | 'float32' {
  return quantization === 'none' ? 'float32' : 'float16';
}
