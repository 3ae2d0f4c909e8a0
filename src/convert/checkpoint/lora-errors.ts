/** Why a LoRA cannot be merged: by the names of its tensors, and by what the model has. */
import { AppError } from '../../shared/errors.ts';

const OTHER_LORA = 'Use a LoRA that was trained for FLUX.1 and for a model of this size.';
export const DORA =
  'It is a DoRA, which also rescales the weights; only plain LoRAs can be merged.';

/** @param what without the full stop */
export function badLora(where: string, what: string, hint = OTHER_LORA): AppError {
  return new AppError('bad-checkpoint', `${where}: ${what}.`, hint);
}

const method = (name: string): string =>
  `It was trained with ${name}; only plain LoRAs (lora_A and lora_B, or lora_down and lora_up) can be merged.`;

/** What tensors of other kinds of adapters are called. */
const KINDS: readonly (readonly [name: RegExp, hint: string])[] = [
  [/dora_scale|lora_magnitude_vector/, DORA],
  [/\.lokr_/, method('LoKr')],
  [/\.hada_/, method('LoHa')],
  [/\.(?:oft_\w+|oft_blocks|boft_\w+)/, method('OFT')],
  [/\.(?:a1|a2|b1|b2|bm)\.weight$/, method('GLoRA')],
  [/\.lora_mid\b/, method("LoCon's Tucker decomposition")],
  [
    /\.(?:diff|diff_b|set_weight)$/,
    'It changes whole weights or biases beside its matrices; only plain LoRAs can be merged.',
  ],
  [
    /\.(?:lora_[AB]|lora_up|lora_down)\.bias$|\.lora_bias/,
    'Its matrices have biases; only plain LoRAs, without, can be merged.',
  ],
  [
    /(?:query|key)_norm\.scale$|\.norm_(?:added_)?[qk]\.weight$/,
    'It is a control LoRA (Depth or Canny), which needs a control image beside the text.',
  ],
  [
    /^bundle_emb\.|^emb_params|lora_embedding_[AB]|\bclip_l$|\bt5xxl$/,
    'It holds trained word embeddings, which cannot be merged.',
  ],
  [/ip_adapter/, 'It is an IP-Adapter, not a LoRA.'],
  [/^control(?:net)?_/, 'It is a ControlNet, not a LoRA.'],
];

/** For a tensor whose name is not that of a plain LoRA's. */
export function unknownTensor(where: string, name: string, names: Iterable<string>): AppError {
  const [, hint] = KINDS.find(([pattern]) => pattern.test(name)) ?? [];
  if (hint !== undefined) return badLora(where, `${name} is not part of a plain LoRA`, hint);
  const isLora = [...names].some((one) => /lora|\.alpha$/i.test(one));
  return isLora
    ? badLora(where, `${name} is not part of a plain LoRA`, method('another method'))
    : badLora(
        where,
        `it holds whole weights (${name}), not a LoRA`,
        'Choose it as the model, if it is one, and a LoRA file as the LoRA.',
      );
}

/** Modules of other families, by names with `_` for every dot. */
const FAMILIES: readonly (readonly [module: RegExp, family: string])[] = [
  [
    /^(?:down_blocks|up_blocks|mid_block|input_blocks|middle_block|output_blocks)_/,
    'Stable Diffusion 1, 2 or XL',
  ],
  [/^text_model_/, 'Stable Diffusion XL'],
  [/^joint_blocks_/, 'Stable Diffusion 3'],
  [/^blocks_\d+_(?:self_attn|cross_attn|ffn|attn[12])_/, 'Wan'],
  [/^layers_\d+_(?:attention|feed_forward|attn)_/, 'Z-Image or Lumina'],
  [/^transformer_blocks_\d+_(?:img|txt)_(?:mod|mlp)_/, 'Qwen-Image'],
  [/_stream_modulation|_to_qkv_mlp_proj$|_ff(?:_context)?_linear_(?:in|out)$/, 'FLUX.2'],
  [/^distilled_guidance_layer_/, 'Chroma'],
  [/^double_stream_blocks_/, 'HiDream'],
  [/individual_token_refiner/, 'Hunyuan Video'],
  [/^transformer_blocks_\d+_attn[12]_/, 'LTX-Video or PixArt'],
];

const BLOCK =
  /^(double_blocks|single_blocks|transformer_blocks|single_transformer_blocks|encoder_block|encoder_layers)_(\d+)_/;

/**
 * For a module that the model lacks.
 *
 * @param name of one of its tensors
 * @param module with `_` for every dot
 * @param known the modules that the model has
 */
export function unknownModule(
  where: string,
  name: string,
  module: string,
  known: Iterable<string>,
): AppError {
  const [, family] = FAMILIES.find(([pattern]) => pattern.test(module)) ?? [];
  if (family !== undefined) {
    return badLora(where, `${name} changes a module of ${family}, which FLUX.1 does not have`);
  }
  if (/guidance_(?:in|embedder)/.test(module)) {
    return badLora(
      where,
      `${name} changes the guidance embedding, which this model does not have`,
      'The LoRA was made for a model with guidance, such as FLUX.1-dev; this is one without, such as FLUX.1-schnell.',
    );
  }
  const [, list, number] = BLOCK.exec(module) ?? [];
  if (list !== undefined && number !== undefined) {
    const numbers = [...known].flatMap((one) => {
      const [, itsList, itsNumber] = BLOCK.exec(one) ?? [];
      return itsList === list ? [Number(itsNumber)] : [];
    });
    const count = numbers.length === 0 ? 0 : Math.max(...numbers) + 1;
    if (Number(number) >= count) {
      return badLora(
        where,
        `${name} is for block ${number} of ${list}, counted from 0, but the model has ${count === 1 ? 'only 1 block' : `only ${count} blocks`} there`,
        'The LoRA was made for a larger model, such as FLUX.1-dev. Use one that was made for this model.',
      );
    }
  }
  return badLora(where, `the model has no module for ${name}`);
}
