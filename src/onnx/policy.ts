/** Which weights are stored how: the one place where precision is decided. */

/** How the bundle as a whole is stored; `none` keeps float32, to compare with PyTorch. */
export const QUANTIZATIONS = ['int4', 'int8', 'f16', 'none'] as const;
export type Quantization = (typeof QUANTIZATIONS)[number];

export type Storage = 'int4' | 'int8' | 'float16' | 'float32';

/** The transformer's linears that carry most of the weights, and forgive 4 bits. */
const ROBUST = [
  /^transformer_blocks\.\d+\.(attn|ff|ff_context)\./,
  /^single_transformer_blocks\.\d+\.(attn|proj_mlp|proj_out)\b/,
];

/** Storage of a linear's matrix, by the name of its module in the checkpoint. */
export function matrixStorage(quantization: Quantization, module: string): Storage {
  if (quantization === 'none') return 'float32';
  if (quantization === 'f16') return 'float16';
  if (quantization === 'int4' && ROBUST.some((pattern) => pattern.test(module))) return 'int4';
  return 'int8';
}

/** Storage of everything else: biases, norms, embeddings, convolutions. */
export function vectorStorage(quantization: Quantization): Storage & ('float16' | 'float32') {
  return quantization === 'none' ? 'float32' : 'float16';
}
