/** AutoencoderKL: Latent Diffusion's file (Black Forest Labs' ae.safetensors) under diffusers' names. */
import type { TensorSource } from '../tensors.ts';
import type { Numbering } from './numbering.ts';
import { countModules, View, whole, type Place } from './view.ts';

/** A tensor that names the layout: Latent Diffusion's and diffusers'. */
export const LDM_SIGNATURE = /decoder\.up\.\d+\.block\.\d+\.conv1\.weight$/;
export const KL_SIGNATURE = /decoder\.up_blocks\.\d+\.resnets\.\d+\.conv1\.weight$/;

export const LDM_NUMBERING: Numbering = {
  lists: [
    /^(encoder\.down|decoder\.up)\.(\d+)\./,
    /^((?:encoder\.down|decoder\.up)\.\d+\.block)\.(\d+)\./,
  ],
};
export const KL_NUMBERING: Numbering = {
  lists: [
    /^(encoder\.down_blocks|decoder\.up_blocks)\.(\d+)\./,
    /^((?:encoder|decoder)\.(?:(?:down|up)_blocks\.\d+|mid_block)\.resnets)\.(\d+)\./,
  ],
};

/** FLUX.1's, which no tensor tells. */
const SCALING_FACTOR = 0.3611;
const SHIFT_FACTOR = 0.1159;
const GROUPS = 32;

const ATTENTION: Readonly<Record<string, string>> = {
  norm: 'group_norm',
  q: 'to_q',
  k: 'to_k',
  v: 'to_v',
  proj_out: 'to_out.0',
};

/**
 * diffusers' AutoencoderKL from Latent Diffusion's names. Attention by 1x1 convolutions is
 * presented as the linear layers that it is.
 */
export function fromLdm(tensors: TensorSource): TensorSource {
  const stages = countModules(tensors, 'decoder.up');
  const places = new Map<string, Place>();
  for (const name of tensors.names()) {
    const presented = diffusersName(name, stages);
    if (presented === undefined) continue;
    const shape = tensors.shape(name);
    const linear = presented.includes('.attentions.') && shape.length === 4;
    places.set(presented, whole(tensors, name, linear ? shape.slice(0, 2) : shape));
  }
  return new View(tensors, places);
}

function diffusersName(name: string, stages: number): string | undefined {
  const match = /^(encoder|decoder)\.(.+)$/.exec(name);
  if (!match) return /^(post_)?quant_conv\./.test(name) ? name : undefined;
  const [, half, rest] = match as unknown as [string, string, string];
  return `${half}.${rest
    .replace(/^norm_out\./, 'conv_norm_out.')
    .replace(/^mid\.block_([12])\./, (_, block) => `mid_block.resnets.${Number(block) - 1}.`)
    .replace(/^mid\.attn_1\.(\w+)\./, (_, part: string) => {
      return `mid_block.attentions.0.${ATTENTION[part] ?? part}.`;
    })
    .replace(/^down\.(\d+)\.block\./, 'down_blocks.$1.resnets.')
    .replace(/^down\.(\d+)\.downsample\./, 'down_blocks.$1.downsamplers.0.')
    // Theirs counts from the largest pictures, diffusers' in the order of computing.
    .replace(/^up\.(\d+)\./, (_, stage) => `up_blocks.${stages - 1 - Number(stage)}.`)
    .replace(/^(up_blocks\.\d+)\.block\./, '$1.resnets.')
    .replace(/^(up_blocks\.\d+)\.upsample\./, '$1.upsamplers.0.')
    .replace('.nin_shortcut.', '.conv_shortcut.')}`;
}

/**
 * What diffusers' config.json would say of FLUX's autoencoder, from tensors under diffusers' names.
 * @throws AppError `bad-checkpoint` if a tensor is missing.
 */
export function autoencoderConfig(tensors: TensorSource): Record<string, unknown> {
  const stages = countModules(tensors, 'decoder.up_blocks');
  const widths = Array.from({ length: stages }, (_, i) => {
    return tensors.shape(`decoder.up_blocks.${stages - 1 - i}.resnets.0.conv1.weight`)[0];
  });
  return {
    _class_name: 'AutoencoderKL',
    act_fn: 'silu',
    in_channels: 3,
    out_channels: tensors.shape('decoder.conv_out.weight')[0],
    latent_channels: tensors.shape('decoder.conv_in.weight')[1],
    block_out_channels: widths,
    // The decoder has one more in every stage.
    layers_per_block: countModules(tensors, 'decoder.up_blocks.0.resnets') - 1,
    down_block_types: widths.map(() => 'DownEncoderBlock2D'),
    up_block_types: widths.map(() => 'UpDecoderBlock2D'),
    norm_num_groups: GROUPS,
    mid_block_add_attention: tensors.has('decoder.mid_block.attentions.0.to_q.weight'),
    use_quant_conv: tensors.has('quant_conv.weight'),
    use_post_quant_conv: tensors.has('post_quant_conv.weight'),
    scaling_factor: SCALING_FACTOR,
    shift_factor: SHIFT_FACTOR,
  };
}

/** What diffusers' config.json must say of the number of levels and of their blocks. */
export function klBlocks(tensors: TensorSource): Record<string, number> {
  return {
    'block_out_channels.length': countModules(tensors, 'decoder.up_blocks'),
    layers_per_block: countModules(tensors, 'decoder.up_blocks.0.resnets') - 1,
  };
}
