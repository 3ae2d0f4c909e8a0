/** The fields that FLUX.1-dev's config.json files have, as far as they matter. */
export const FLUX = {
  _class_name: 'FluxTransformer2DModel',
  in_channels: 64,
  num_layers: 19,
  num_single_layers: 38,
  attention_head_dim: 128,
  num_attention_heads: 24,
  joint_attention_dim: 4096,
  pooled_projection_dim: 768,
  guidance_embeds: true,
};

export const T5 = {
  vocab_size: 32128,
  d_model: 4096,
  d_kv: 64,
  d_ff: 10240,
  num_layers: 24,
  num_heads: 64,
  feed_forward_proj: 'gated-gelu',
  layer_norm_epsilon: 1e-6,
  relative_attention_num_buckets: 32,
};
