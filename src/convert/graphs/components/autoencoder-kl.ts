/** diffusers' AutoencoderKL, FLUX's own autoencoder. Pictures are -1..1. */
import type { AutoencoderKlConfig } from '../../checkpoint/autoencoder-config.ts';
import type { Value } from '../builder.ts';
import type { Layers } from '../layers.ts';
import { convolution, upsample } from './convolution.ts';
import { ALONG, groupNorm, INTO, residualBlock } from './residual-block.ts';
import { spatialAttention } from './spatial-attention.ts';

/** `x` [1, latent channels, h, w] to a picture [1, 3, 8h, 8w], with FLUX's four levels. */
export async function decodeKl(
  layers: Layers,
  config: AutoencoderKlConfig,
  x: Value,
): Promise<Value> {
  const { graph, weights } = layers;
  const { block_out_channels: widths, norm_num_groups: groups } = config;
  weights.expectShapes({
    'decoder.conv_in.weight': [widths.at(-1)!, config.latent_channels, 3, 3],
    'decoder.conv_out.weight': [config.out_channels, widths[0]!, 3, 3],
  });
  if (config.use_post_quant_conv) x = await convolution(layers, x, 'post_quant_conv');
  x = await convolution(layers, x, 'decoder.conv_in', { factors: INTO });
  x = await middle(layers, config, x, 'decoder.mid_block');
  for (let level = 0; level < widths.length; level++) {
    const module = `decoder.up_blocks.${level}`;
    // One more than an encoder's level has.
    for (let i = 0; i <= config.layers_per_block; i++) {
      x = await residualBlock(layers, x, `${module}.resnets.${i}`, groups);
    }
    if (level === widths.length - 1) break;
    x = upsample(layers, x, `${module}.upsamplers.0`);
    x = await convolution(layers, x, `${module}.upsamplers.0.conv`, { factors: ALONG });
  }
  x = layers.silu(await groupNorm(layers, x, 'decoder.conv_norm_out', groups));
  x = await convolution(layers, x, 'decoder.conv_out');
  graph.within('output');
  return x;
}

/** A picture `x` [1, 3, 8h, 8w] to the mean of its latents, [1, latent channels, h, w]. */
export async function encodeKl(
  layers: Layers,
  config: AutoencoderKlConfig,
  x: Value,
): Promise<Value> {
  const { graph, weights } = layers;
  const { block_out_channels: widths, norm_num_groups: groups, latent_channels: latents } = config;
  weights.expectShapes({
    'encoder.conv_in.weight': [widths[0]!, config.in_channels, 3, 3],
    'encoder.conv_out.weight': [2 * latents, widths.at(-1)!, 3, 3],
  });
  x = await convolution(layers, x, 'encoder.conv_in', { factors: INTO });
  for (let level = 0; level < widths.length; level++) {
    const module = `encoder.down_blocks.${level}`;
    for (let i = 0; i < config.layers_per_block; i++) {
      x = await residualBlock(layers, x, `${module}.resnets.${i}`, groups);
    }
    if (level === widths.length - 1) break;
    x = await convolution(layers, x, `${module}.downsamplers.0.conv`, {
      stride: 2,
      pads: [0, 0, 1, 1],
      factors: ALONG,
    });
  }
  x = await middle(layers, config, x, 'encoder.mid_block');
  x = layers.silu(await groupNorm(layers, x, 'encoder.conv_norm_out', groups));
  x = await convolution(layers, x, 'encoder.conv_out');
  if (config.use_quant_conv) x = await convolution(layers, x, 'quant_conv');
  graph.within('mean');
  // Means come first, then logarithms of variances.
  return layers.slice(x, 1, 0, latents);
}

/** UNetMidBlock2D: where the picture is smallest, every place sees every other. */
async function middle(
  layers: Layers,
  config: AutoencoderKlConfig,
  x: Value,
  module: string,
): Promise<Value> {
  const groups = config.norm_num_groups;
  x = await residualBlock(layers, x, `${module}.resnets.0`, groups);
  if (config.mid_block_add_attention) {
    x = await spatialAttention(layers, x, `${module}.attentions.0`, groups);
  }
  return residualBlock(layers, x, `${module}.resnets.1`, groups);
}
