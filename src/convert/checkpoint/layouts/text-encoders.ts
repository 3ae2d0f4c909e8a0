/** The text encoders as transformers and ComfyUI keep them: one set of names, and their sizes. */
import type { TensorSource } from '../tensors.ts';
import type { Numbering } from './numbering.ts';
import { countModules, renamed } from './view.ts';

export const T5_SIGNATURE = /encoder\.block\.\d+\.layer\.0\.SelfAttention\.q\.weight$/;
const CLIP_WORDS = 'embeddings.token_embedding.weight';
export const CLIP_SIGNATURE = /embeddings\.token_embedding\.weight$/;

export const T5_NUMBERING: Numbering = {
  lists: [],
  uniform: [/^(encoder\.block)\.(\d+)\./],
  // The first block has the bias of all.
  uneven: /relative_attention_bias/,
};
export const CLIP_NUMBERING: Numbering = { lists: [], uniform: [/^(encoder\.layers)\.(\d+)\./] };

const T5_TABLES = ['shared.weight', 'encoder.embed_tokens.weight'];
/** Of CLIP-L. */
const CLIP_HEAD_WIDTH = 64;

/** T5EncoderModel, from it or from the whole of T5; the word embeddings are `shared.weight`. */
export function t5Encoder(tensors: TensorSource): TensorSource {
  const table = T5_TABLES.find((name) => tensors.has(name));
  return renamed(tensors, (name) => {
    if (name === table) return 'shared.weight';
    return name.startsWith('encoder.') && !T5_TABLES.includes(name) ? name : undefined;
  });
}

/**
 * What transformers' config.json would say, for T5 1.1, the one that FLUX has.
 * @throws AppError `bad-checkpoint` if a tensor is missing.
 */
export function t5Config(tensors: TensorSource): Record<string, unknown> {
  const attention = 'encoder.block.0.layer.0.SelfAttention';
  const feedForward = 'encoder.block.0.layer.1.DenseReluDense';
  const gated = tensors.has(`${feedForward}.wi_0.weight`);
  const [words, width] = tensors.shape('shared.weight');
  const [inner = 0] = tensors.shape(`${attention}.q.weight`);
  const [buckets, heads = 0] = tensors.shape(`${attention}.relative_attention_bias.weight`);
  return {
    vocab_size: words,
    d_model: width,
    d_kv: inner / heads,
    d_ff: tensors.shape(`${feedForward}.${gated ? 'wi_0' : 'wi'}.weight`)[0],
    num_layers: countModules(tensors, 'encoder.block'),
    num_heads: heads,
    feed_forward_proj: gated ? 'gated-gelu' : 'relu',
    layer_norm_epsilon: 1e-6,
    relative_attention_num_buckets: buckets,
    relative_attention_max_distance: 128,
  };
}

/**
 * What transformers' config.json would say, for CLIP-L, the one that FLUX has.
 * @throws AppError `bad-checkpoint` if a tensor is missing.
 */
export function clipConfig(tensors: TensorSource): Record<string, unknown> {
  const [words, width = 0] = tensors.shape(CLIP_WORDS);
  return {
    vocab_size: words,
    hidden_size: width,
    intermediate_size: tensors.shape('encoder.layers.0.mlp.fc1.weight')[0],
    num_hidden_layers: countModules(tensors, 'encoder.layers'),
    num_attention_heads: width / CLIP_HEAD_WIDTH,
    max_position_embeddings: tensors.shape('embeddings.position_embedding.weight')[0],
    hidden_act: 'quick_gelu',
    layer_norm_eps: 1e-5,
  };
}

/** What transformers' config.json must say of the number of T5's blocks. */
export function t5Blocks(tensors: TensorSource): Record<string, number> {
  return { num_layers: countModules(tensors, 'encoder.block') };
}

/** What transformers' config.json must say of the number of CLIP's layers. */
export function clipBlocks(tensors: TensorSource): Record<string, number> {
  return { num_hidden_layers: countModules(tensors, 'encoder.layers') };
}
