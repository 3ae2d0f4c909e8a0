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
 * Attention and feed-forward of the double blocks. On a model of 11 million parameters these
 * cause more than half of the velocity's squared error at 4 bits, the modulations next to none.
 */
const DOUBLE_BLOCK_LINEAR = /^transformer_blocks\.\d+\.(attn|ff|ff_context)\./;

/**
 * What gains most per byte (training/sensitivity.py, on the same model): the first double block,
 * where 63 % of the squared error arises, and the values of the single blocks, 9 %. On FLUX.1 both
 * together are 0.3 GB more than 4 bits everywhere, which are 6.7 GB.
 */
const SENSITIVE =
  /^(transformer_blocks\.0\.(attn|ff|ff_context)\.|single_transformer_blocks\.\d+\.attn\.to_v$)/;

/**
 * T5, of which XXL is half as large as FLUX.1 itself. In 4 bits it puts the velocity off by a
 * twentieth of what the transformer does, and two thirds of that come from the `wo` alone.
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
  return (quantization === 'mixed' ? isInt4InMixed : isInt4)(module) ? 'int4' : 'int8';
}

function isInt4InMixed(module: string): boolean {
  return BLOCK.test(module) && !DOUBLE_BLOCK_LINEAR.test(module);
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
