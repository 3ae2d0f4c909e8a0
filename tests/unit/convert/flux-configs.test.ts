/** What configs of full FLUX.1 are read as, and which are refused by name. */
import { describe, expect, test } from 'vitest';
import { downscale } from '../../../src/convert/checkpoint/autoencoder-config.ts';
import {
  checkConfigs,
  parseConfig,
  schemas,
  type PipelineConfigs,
} from '../../../src/convert/checkpoint/configs.ts';
import { FLUX, T5 } from './flux-dev.ts';

const CLIP = {
  vocab_size: 49408,
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  max_position_embeddings: 77,
  hidden_act: 'quick_gelu',
  layer_norm_eps: 1e-5,
};
const AUTOENCODER = {
  _class_name: 'AutoencoderKL',
  act_fn: 'silu',
  latent_channels: 16,
  block_out_channels: [128, 256, 512, 512],
  layers_per_block: 2,
  norm_num_groups: 32,
  down_block_types: Array.from({ length: 4 }, () => 'DownEncoderBlock2D'),
  up_block_types: Array.from({ length: 4 }, () => 'UpDecoderBlock2D'),
  mid_block_add_attention: true,
  use_quant_conv: false,
  use_post_quant_conv: false,
  scaling_factor: 0.3611,
  shift_factor: 0.1159,
};

interface Changes {
  readonly flux?: object;
  readonly autoencoder?: object;
}

function configs({ flux, autoencoder }: Changes = {}): PipelineConfigs {
  return {
    flux: parseConfig(schemas.flux, { ...FLUX, ...flux }, 'transformer/config.json'),
    t5: parseConfig(schemas.t5, T5, 'text_encoder_2/config.json'),
    clip: parseConfig(schemas.clip, CLIP, 'text_encoder/config.json'),
    autoencoder: parseConfig(
      schemas.autoencoder,
      { ...AUTOENCODER, ...autoencoder },
      'vae/config.json',
    ),
    scheduler: parseConfig(
      schemas.scheduler,
      { _class_name: 'FlowMatchEulerDiscreteScheduler', use_dynamic_shifting: true },
      'scheduler/scheduler_config.json',
    ),
    t5Tokens: 512,
    clipTokens: 77,
  };
}

test('FLUX.1-dev is read, with guidance and its own autoencoder', () => {
  const read = configs();
  checkConfigs(read);
  expect(read.flux.guidance_embeds).toBe(true);
  expect(read.flux.axes_dims_rope).toEqual([16, 56, 56]);
  expect(downscale(read.autoencoder)).toBe(8);
});

test('a field that may be left out or null has the value of diffusers', () => {
  const { flux, autoencoder } = configs({ autoencoder: { shift_factor: null } });
  expect(autoencoder.shift_factor).toBe(0);
  expect(parseConfig(schemas.flux, { ...FLUX, guidance_embeds: undefined }, 'x')).toMatchObject({
    guidance_embeds: false,
    num_layers: flux.num_layers,
  });
});

describe('refused', () => {
  test.each<[Changes, string]>([
    [{ autoencoder: { _class_name: 'AutoencoderDC' } }, 'vae/config.json: _class_name: must be'],
    [{ autoencoder: { act_fn: 'relu' } }, 'vae/config.json: act_fn:'],
    [
      { autoencoder: { down_block_types: ['AttnDownEncoderBlock2D'] } },
      'vae/config.json: down_block_types.0:',
    ],
    [{ autoencoder: { scaling_factor: undefined } }, 'vae/config.json: scaling_factor:'],
    [{ autoencoder: { latents_mean: [0] } }, 'vae/config.json: latents_mean:'],
    [{ autoencoder: { norm_num_groups: 48 } }, 'block_out_channels.0, 128, is not a multiple of'],
    [{ autoencoder: { latent_channels: 4 } }, 'transformer in_channels, 64, is not 4 latents, 16'],
    [{ flux: { guidance_embeds: 1 } }, 'transformer/config.json: guidance_embeds:'],
    [{ flux: { num_layers: -1 } }, 'transformer/config.json: num_layers:'],
    [{ flux: { in_channels: 384 } }, 'transformer in_channels, 384, is not 4 latents, 64'],
  ])('%o', (changes, message) => {
    const reading = () => checkConfigs(configs(changes));
    expect(reading).toThrow(
      expect.objectContaining({
        code: 'bad-checkpoint',
        message: expect.stringContaining(message) as string,
        hint: expect.stringContaining('FLUX.1 dev, schnell') as string,
      }) as Error,
    );
  });
});
