/** The config.json of an autoencoder: AutoencoderKL, FLUX's own, or AutoencoderTiny. */
import * as v from 'valibot';

const size = v.pipe(v.number(), v.integer(), v.minValue(1));
const sizes = v.pipe(v.array(size), v.minLength(1));
/** Latents are divided by it. */
const factor = v.pipe(v.number(), v.gtValue(0), v.finite());
const offset = v.pipe(v.number(), v.finite());
const counts = v.array(v.pipe(v.number(), v.integer(), v.minValue(0)));

/** diffusers' AutoencoderTiny. The encoder's fields have diffusers' own defaults. */
export const autoencoderTiny = v.object({
  _class_name: v.literal('AutoencoderTiny'),
  act_fn: v.literal('relu'),
  latent_channels: size,
  in_channels: v.optional(v.literal(3), 3),
  out_channels: v.literal(3),
  encoder_block_out_channels: v.optional(sizes, [64, 64, 64, 64]),
  num_encoder_blocks: v.optional(counts, [1, 3, 3, 3]),
  decoder_block_out_channels: sizes,
  num_decoder_blocks: counts,
  upsampling_scaling_factor: v.optional(v.literal(2), 2),
  upsample_fn: v.optional(v.literal('nearest'), 'nearest'),
  scaling_factor: v.optional(factor, 1),
  shift_factor: v.nullish(offset, 0),
});

/** diffusers' AutoencoderKL. */
const autoencoderKl = v.object({
  _class_name: v.literal('AutoencoderKL'),
  act_fn: v.optional(v.literal('silu'), 'silu'),
  latent_channels: size,
  in_channels: v.optional(v.literal(3), 3),
  out_channels: v.optional(v.literal(3), 3),
  down_block_types: v.optional(v.array(v.literal('DownEncoderBlock2D'))),
  up_block_types: v.optional(v.array(v.literal('UpDecoderBlock2D'))),
  block_out_channels: sizes,
  layers_per_block: v.optional(size, 1),
  norm_num_groups: v.optional(size, 32),
  mid_block_add_attention: v.optional(v.boolean(), true),
  use_quant_conv: v.optional(v.boolean(), true),
  use_post_quant_conv: v.optional(v.boolean(), true),
  latents_mean: v.nullish(v.null(), null),
  latents_std: v.nullish(v.null(), null),
  scaling_factor: factor,
  shift_factor: v.nullish(offset, 0),
});

export const autoencoder = v.variant(
  '_class_name',
  [autoencoderKl, autoencoderTiny],
  'must be AutoencoderKL or AutoencoderTiny',
);

export type AutoencoderTinyConfig = v.InferOutput<typeof autoencoderTiny>;
export type AutoencoderKlConfig = v.InferOutput<typeof autoencoderKl>;
export type AutoencoderConfig = v.InferOutput<typeof autoencoder>;

/** Pixels of a side per latent of a side. */
export function downscale(config: AutoencoderConfig): number {
  const stages =
    config._class_name === 'AutoencoderTiny'
      ? config.num_decoder_blocks.length
      : config.block_out_channels.length;
  return 2 ** (stages - 1);
}

/** Two names, and the numbers that must be equal. */
export type Pair = readonly [string, number, string, number];

/** What fields of one autoencoder's config must have in common. */
export function autoencoderPairs(config: AutoencoderConfig): Pair[] {
  if (config._class_name === 'AutoencoderTiny') {
    return (['encoder', 'decoder'] as const).map((half) => [
      `number of ${half}_block_out_channels`,
      config[`${half}_block_out_channels`].length,
      `that of num_${half}_blocks`,
      config[`num_${half}_blocks`].length,
    ]);
  }
  const { block_out_channels: channels, norm_num_groups: groups } = config;
  return channels.map((width, i) => [
    `autoencoder block_out_channels.${i}`,
    width,
    'a multiple of norm_num_groups',
    Math.ceil(width / groups) * groups,
  ]);
}
