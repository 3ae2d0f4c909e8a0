/** Which weights are stored how: the one place where precision is decided. */

/**
 * How the bundle as a whole is stored. `mixed` is `int4` with 8 bits where a small model needs
 * them most; `none` keeps float32, to compare with PyTorch.
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
 * Where the transformer begins and ends: everything passes through these, the head at every
 * step, and they are small.
 */
const ENTRANCE_OR_EXIT = /^(x_embedder$|context_embedder$|time_text_embed\.|norm_out\.|proj_out$)/;

/** Attention of an AutoencoderKL: next to nothing in size, and errors would be seen. */
const AUTOENCODER = /^(encoder|decoder)\.mid_block\./;

/**
 * Storage of a linear's matrix, by the name of its module in the checkpoint. What is in none of
 * the groups above are the text encoders; they have 8 bits.
 */
export function matrixStorage(quantization: Quantization, module: string): Storage {
  if (quantization === 'none') return 'float32';
  if (quantization === 'f16' || ENTRANCE_OR_EXIT.test(module) || AUTOENCODER.test(module)) {
    return 'float16';
  }
  if (quantization === 'int8' || !BLOCK.test(module)) return 'int8';
  return quantization === 'mixed' && DOUBLE_BLOCK_LINEAR.test(module) ? 'int8' : 'int4';
}

/** Storage of everything else: biases, norms, embeddings, convolutions. */
export function vectorStorage(quantization: Quantization): 'float16' | 'float32' {
  return quantization === 'none' ? 'float32' : 'float16';
}
