/** FLUX's transformer: Black Forest Labs' file under diffusers' names, and its sizes. */
import { AppError } from '../../../shared/errors.ts';
import type { TensorSource } from '../tensors.ts';
import { linearRenamings, normRenamings, type FusedSizes } from './bfl-names.ts';
import { refuseTools } from './families.ts';
import type { Numbering } from './numbering.ts';
import { countModules, rowsOf, View, whole, type Place } from './view.ts';

/** A tensor that names the layout: Black Forest Labs' and diffusers'. */
export const BFL_SIGNATURE =
  /(?:double_blocks\.\d+\.img_attn\.qkv|single_blocks\.\d+\.linear1)\.weight$/;
export const DIFFUSERS_SIGNATURE = /time_text_embed\.text_embedder\.linear_1\.weight$/;

export const BFL_NUMBERING: Numbering = {
  lists: [],
  uniform: [/^(double_blocks|single_blocks)\.(\d+)\./],
};
export const DIFFUSERS_NUMBERING: Numbering = {
  lists: [],
  uniform: [/^(transformer_blocks|single_transformer_blocks)\.(\d+)\./],
};

/** Width of the first rotary axis; the other two share the rest of a head. */
const FIRST_AXIS = 16;

/**
 * diffusers' FluxTransformer2DModel from a file with Black Forest Labs' names.
 * @throws AppError `bad-checkpoint` if a tensor is missing, or has other sizes than the rest.
 */
export function fromBfl(tensors: TensorSource): TensorSource {
  const sizes = fusedSizes(tensors);
  const places = new Map<string, Place>();
  for (const { theirs, ours, rows } of linearRenamings(sizes)) {
    if (theirs.startsWith('guidance_in.') && !tensors.has(`${theirs}.weight`)) continue;
    for (const part of ['weight', 'bias']) {
      const name = `${theirs}.${part}`;
      if (rows) checkHeight(tensors, name, heightOf(theirs, sizes));
      places.set(`${ours}.${part}`, rows ? rowsOf(tensors, name, rows) : whole(tensors, name));
    }
  }
  for (const { theirs, ours } of normRenamings(sizes)) {
    places.set(`${ours}.weight`, whole(tensors, `${theirs}.scale`));
  }
  return new View(tensors, places);
}

function fusedSizes(tensors: TensorSource): FusedSizes {
  const [hidden = 0] = tensors.shape('img_in.weight');
  const first = 'single_blocks.0.linear1.weight';
  const [fused = 0] = tensors.shape(first);
  if (fused <= 3 * hidden) throw wrongHeight(tensors, first, `more than ${3 * hidden}`);
  return {
    doubleBlocks: countModules(tensors, 'double_blocks'),
    singleBlocks: countModules(tensors, 'single_blocks'),
    hidden,
    feedForward: fused - 3 * hidden,
  };
}

function heightOf(theirs: string, { hidden, feedForward }: FusedSizes): number {
  if (theirs.endsWith('.qkv')) return 3 * hidden;
  return theirs.endsWith('.linear1') ? 3 * hidden + feedForward : 2 * hidden;
}

function checkHeight(tensors: TensorSource, name: string, height: number): void {
  const [rows = 0] = tensors.shape(name);
  if (rows !== height) throw wrongHeight(tensors, name, String(height));
}

function wrongHeight(tensors: TensorSource, name: string, expected: string): AppError {
  return new AppError(
    'bad-checkpoint',
    `${tensors.where}: ${name} has ${tensors.shape(name)[0] ?? 0} rows, expected ${expected}.`,
    'The file holds no FLUX.1 transformer, or it is damaged.',
  );
}

/**
 * What diffusers' config.json would say, from the shapes of tensors under diffusers' names.
 * @throws AppError `bad-checkpoint` if a tensor is missing.
 */
export function transformerConfig(tensors: TensorSource): Record<string, unknown> {
  const [hidden = 0, inChannels] = tensors.shape('x_embedder.weight');
  const [headWidth = 0] = tensors.shape('single_transformer_blocks.0.attn.norm_q.weight');
  const rest = (headWidth - FIRST_AXIS) / 2;
  return {
    _class_name: 'FluxTransformer2DModel',
    in_channels: inChannels,
    num_layers: countModules(tensors, 'transformer_blocks'),
    num_single_layers: countModules(tensors, 'single_transformer_blocks'),
    attention_head_dim: headWidth,
    num_attention_heads: hidden / headWidth,
    joint_attention_dim: tensors.shape('context_embedder.weight')[1],
    pooled_projection_dim: tensors.shape('time_text_embed.text_embedder.linear_1.weight')[1],
    guidance_embeds: tensors.has('time_text_embed.guidance_embedder.linear_1.weight'),
    axes_dims_rope: [FIRST_AXIS, rest, rest],
  };
}

/** What diffusers' config.json must say of the number of blocks. */
export function transformerBlocks(tensors: TensorSource): Record<string, number> {
  return {
    num_layers: countModules(tensors, 'transformer_blocks'),
    num_single_layers: countModules(tensors, 'single_transformer_blocks'),
  };
}

/** @throws AppError `bad-checkpoint` for FLUX.1's image tools, which take more than latents */
export function refuseImageInput(tensors: TensorSource): void {
  const [input, output] = ['x_embedder.weight', 'proj_out.weight'] as const;
  if (!tensors.has(input) || !tensors.has(output)) return;
  refuseTools(tensors.where, tensors.shape(input)[1], tensors.shape(output)[0]);
}
