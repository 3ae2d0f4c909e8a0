/** Which weights are stored how: the one place where precision is decided. */

/** How the bundle as a whole is stored; `none` keeps float32, to compare with PyTorch. */
export const QUANTIZATIONS = ['int4', 'int8', 'f16', 'none'] as const;
export type Quantization = (typeof QUANTIZATIONS)[number];

export type Storage = 'int4' | 'int8' | 'float16' | 'float32';

/** The transformer's linears that carry most of the weights, and forgive 4 bits. */
const ROBUST = [
  /^transformer_blocks\.\d+\.(attn|ff|ff_context)\./,
  /^single_transformer_blocks\.\d+\.(attn\.|proj_mlp$|proj_out$)/,
];

/**
 * Where the transformer begins and ends: everything passes through these, the head at every
 * step, and they are small.
 */
const SENSITIVE = [
  /^x_embedder$/,
  /^context_embedder$/,
  /^time_text_embed\./,
  /^norm_out\./,
  /^proj_out$/,
];

/**
 * Storage of a linear's matrix, by the name of its module in the checkpoint. What is neither
 * robust nor sensitive has 8 bits: the modulations and the text encoders.
 */
export function matrixStorage(quantization: Quantization, module: string): Storage {
  const isOneOf = (patterns: readonly RegExp[]): boolean => patterns.some((p) => p.test(module));
  if (quantization === 'none') return 'float32';
  if (quantization === 'f16' || isOneOf(SENSITIVE)) return 'float16';
  return quantization === 'int4' && isOneOf(ROBUST) ? 'int4' : 'int8';
}

/** Storage of everything else: biases, norms, embeddings, convolutions. */
export function vectorStorage(quantization: Quantization): 'float16' | 'float32' {
  return quantization === 'none' ? 'float32' : 'float16';
}
