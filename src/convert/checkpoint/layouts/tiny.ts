/** AutoencoderTiny: the original file of its decoder (taef1_decoder.safetensors), and its sizes. */
import type { TensorSource } from '../tensors.ts';
import { renamed } from './view.ts';

/** A tensor that names the layout: diffusers' and the original's. */
export const TINY_SIGNATURE = /decoder\.layers\.3\.conv\.0\.weight$/;
export const TAE_SIGNATURE = /4\.conv\.0\.weight$/;

/** The original's first layer clamps, which diffusers does not count as one. */
export function fromTae(tensors: TensorSource): TensorSource {
  return renamed(tensors, (name) => {
    const match = /^(\d+)\.(.+)$/.exec(name);
    return match ? `decoder.layers.${Number(match[1]) - 1}.${match[2]}` : undefined;
  });
}

/** Whether the numbered layers are a decoder's: an encoder begins with its convolution, as layer 0. */
export function isTaeDecoder(tensors: TensorSource): boolean {
  return tensors.has('1.weight') && !tensors.has('0.weight');
}

/**
 * What diffusers' config.json would say of a FLUX decoder (TAEF1), whose latents are not scaled.
 * @throws AppError `bad-checkpoint` if a tensor is missing.
 */
export function tinyConfig(tensors: TensorSource): Record<string, unknown> {
  const [width = 0, latents] = tensors.shape('decoder.layers.0.weight');
  const blocks = blocksPerStage(tensors);
  return {
    _class_name: 'AutoencoderTiny',
    act_fn: 'relu',
    latent_channels: latents,
    out_channels: 3,
    decoder_block_out_channels: blocks.map(() => width),
    num_decoder_blocks: blocks,
    scaling_factor: 1,
    shift_factor: 0,
  };
}

/** A stage is its blocks, an upsampling unless it is the last, and a convolution. */
function blocksPerStage(tensors: TensorSource): number[] {
  const stages: number[] = [];
  // Behind the first convolution and its activation.
  for (let layer = 2; ;) {
    let blocks = 0;
    while (tensors.has(`decoder.layers.${layer}.conv.0.weight`)) {
      blocks++;
      layer++;
    }
    stages.push(blocks);
    if (tensors.has(`decoder.layers.${layer}.weight`)) return stages;
    if (!tensors.has(`decoder.layers.${layer + 1}.weight`)) return stages;
    layer += 2;
  }
}

/** What diffusers' config.json must say of the number of blocks. */
export function tinyBlocks(tensors: TensorSource): Record<string, readonly number[]> {
  return { num_decoder_blocks: blocksPerStage(tensors) };
}
