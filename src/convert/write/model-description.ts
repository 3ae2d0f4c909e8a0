/** What a manifest says of a model's sizes, from its configuration. */
import type { Manifest } from '../../bundle/manifest.ts';
import type { AutoencoderConfig } from '../checkpoint/autoencoder-config.ts';
import type { PipelineConfigs } from '../checkpoint/configs.ts';

export function describeModel(
  configs: PipelineConfigs,
): Pick<Manifest, 'transformer' | 'text' | 'autoencoder' | 'scheduler'> {
  const { flux, autoencoder, scheduler } = configs;
  return {
    transformer: {
      hidden: flux.num_attention_heads * flux.attention_head_dim,
      heads: flux.num_attention_heads,
      headWidth: flux.attention_head_dim,
      axes: flux.axes_dims_rope,
      doubleBlocks: flux.num_layers,
      singleBlocks: flux.num_single_layers,
      latentWidth: flux.in_channels,
      textWidth: flux.joint_attention_dim,
      pooledWidth: flux.pooled_projection_dim,
      guidance: flux.guidance_embeds,
    },
    text: { t5Tokens: configs.t5Tokens, clipTokens: configs.clipTokens },
    autoencoder: {
      latentChannels: autoencoder.latent_channels,
      downscale: 2 ** (levelsOf(autoencoder) - 1),
    },
    scheduler: {
      shift: scheduler.shift,
      useDynamicShifting: scheduler.use_dynamic_shifting,
      baseShift: scheduler.base_shift,
      maxShift: scheduler.max_shift,
      baseImageTokens: scheduler.base_image_seq_len,
      maxImageTokens: scheduler.max_image_seq_len,
    },
  };
}

/** Between two levels the picture's sides are doubled. */
function levelsOf(config: AutoencoderConfig): number {
  return config._class_name === 'AutoencoderKL'
    ? config.block_out_channels.length
    : config.num_decoder_blocks.length;
}
