/**
 * Models that are not FLUX.1, by the names of their tensors: those of the original files, which
 * diffusers' single_file_utils.py lists as CHECKPOINT_KEY_NAMES, and those of diffusers' classes.
 */
import { AppError } from '../../../shared/errors.ts';
import type { TensorSource } from '../tensors.ts';

export const CONVERTIBLE =
  'FLUX.1 dev, schnell and fine-tunes of them can be converted; choose one of these.';

/** Something that is not a part of FLUX.1. */
export interface Foreign {
  /** With its article, such as `a FLUX.2 transformer`. */
  readonly what: string;
  readonly hint: string;
}

interface Mark extends Foreign {
  /** Every one of these names a tensor of such a file, whatever modules stand before the name. */
  readonly marks: readonly RegExp[];
}

/** Tensors whose names are these, or end in them behind a dot. */
const named = (names: string): RegExp => new RegExp(`(?:^|\\.)(?:${names})`);

const mark = (what: string, ...marks: readonly string[]): Mark => ({
  what,
  hint: CONVERTIBLE,
  marks: marks.map(named),
});

const NOT_A_MODEL = 'It works only beside a model. Choose a FLUX.1 checkpoint instead.';
const adapter = (what: string, ...marks: readonly string[]): Mark => ({
  ...mark(what, ...marks),
  hint: NOT_A_MODEL,
});

/** The first that fits counts: adapters before the models whose blocks they copy. */
const MARKS: readonly Mark[] = [
  {
    what: 'a LoRA',
    hint: 'Choose a FLUX.1 checkpoint as the model, and merge this file as a LoRA (--lora FILE on the command line).',
    marks: [
      /(?:[._](?:lora_[AB]|lora_down|lora_up|lora\.down|lora\.up|qkv_lora\d?\.down|proj_lora\d?\.down)(?:\.default)?\.weight|\.(?:lokr_w[12](?:_[ab])?|hada_w[12]_[ab]))$/,
    ],
  },
  adapter(
    'a ControlNet',
    'controlnet_blocks\\.|controlnet_x_embedder\\.|controlnet_cond_embedding\\.|controlnet_down_blocks\\.|control_model\\.|control_all_x_embedder\\.|control_layers\\.|input_hint_block\\.|pos_embed_input\\.',
  ),
  adapter('an IP-Adapter', 'ip_adapter[\\w]*\\.|image_proj\\.|ip_adapter_double_stream'),
  adapter('FLUX.1 Redux, an adapter for image prompts,', 'redux_up\\.weight$'),
  mark('a FLUX.3 transformer', 'early_stream_modulations\\.|ref_time_in\\.in_layer\\.weight$'),
  mark(
    'a FLUX.2 transformer',
    '(?:single|double)_stream_modulation(?:_img|_txt)?\\.lin(?:ear)?\\.weight$',
  ),
  mark('a Chroma transformer', 'distilled_guidance_layer\\.'),
  mark(
    'a Hunyuan Video or Hunyuan Image transformer',
    'txt_in\\.individual_token_refiner\\.|context_embedder\\.token_refiner\\.',
  ),
  mark('a HiDream transformer', 'double_stream_blocks\\.\\d+\\.block\\.'),
  mark(
    'a Qwen-Image transformer',
    'transformer_blocks\\.\\d+\\.img_mod\\.1\\.weight$|txt_in\\.text_norm\\.weight$',
  ),
  mark(
    'a Z-Image transformer',
    'all_x_embedder\\.2-1\\.weight$|cap_pad_token$|layers\\.\\d+\\.adaLN_modulation\\.0\\.weight$',
  ),
  mark('a Lumina transformer', 'cap_embedder\\.0\\.weight$|time_caption_embed\\.'),
  mark(
    'a Stable Diffusion 3 transformer',
    'joint_blocks\\.\\d+\\.(?:context|x)_block\\.|pos_embed\\.proj\\.weight$',
    'joint_blocks\\.\\d+\\.(?:context|x)_block\\.|transformer_blocks\\.\\d+\\.attn\\.add_k_proj\\.weight$',
  ),
  mark(
    'an LTX-Video transformer',
    'patchify_proj\\.weight$|transformer_blocks\\.\\d+\\.scale_shift_table$',
    'patchify_proj\\.weight$|proj_in\\.weight$',
  ),
  mark(
    'a Wan transformer',
    'head\\.modulation$|vace_blocks\\.|condition_embedder\\.time_proj\\.weight$',
  ),
  mark('a Sana transformer', 'attention_y_norm\\.weight$|caption_norm\\.weight$'),
  mark(
    'a PixArt transformer',
    'y_embedder\\.y_embedding$|adaln_single\\.linear\\.weight$',
    't_block\\.1\\.weight$|pos_embed\\.proj\\.weight$',
  ),
  mark('a Hunyuan-DiT transformer', 'pooler\\.positional_embedding$|time_extra_emb\\.'),
  mark('a Mochi transformer', 'blocks\\.\\d+\\.attn\\.qkv_x\\.weight$'),
  mark('an AuraFlow transformer', 'double_layers\\.\\d+\\.attn\\.w1q\\.weight$'),
  mark('a Cosmos transformer', 'net\\.x_embedder\\.proj\\.1\\.weight$'),
  mark('a CogView transformer', 'time_condition_embed\\.', 'patch_embed\\.text_proj\\.weight$'),
  mark('a Krea 2 transformer', 'txtfusion\\.projector\\.weight$'),
  mark('a Stable Cascade model', 'clip_txt_mapper\\.weight$|channelwise\\.0\\.weight$'),
  mark(
    'a Stable Diffusion XL model',
    'conditioner\\.embedders\\.|add_embedding\\.linear_1\\.weight$|label_emb\\.0\\.0\\.weight$',
  ),
  mark('a Stable Diffusion 1 or 2 model', 'input_blocks\\.0\\.0\\.weight$'),
  {
    what: 'a Stable Diffusion model (UNet)',
    hint: CONVERTIBLE,
    marks: [/^(?:unet\.)?down_blocks\.\d+\.resnets\.\d+\.conv1\.weight$/],
  },
  {
    what: 'weights quantized by SVDQuant (Nunchaku)',
    hint: 'Use the model in float16, bfloat16 or float8 instead.',
    marks: [/\.wscales$/],
  },
  mark('a language model', 'layers\\.\\d+\\.mlp\\.gate_proj\\.weight$'),
  mark('an OpenCLIP text encoder', 'transformer\\.resblocks\\.\\d+\\.'),
  mark('the autoencoder of FLUX.2', 'bn\\.running_mean$', 'decoder\\.conv_in\\.weight$'),
  mark('the autoencoder of Wan or Qwen-Image', 'decoder\\.middle\\.0\\.residual\\.0\\.gamma$'),
];

/** What a file holds that FLUX.1 has no use for; nothing for parts of FLUX.1 and for the unknown. */
export function foreignIn(tensors: TensorSource): Foreign | undefined {
  const names = [...tensors.names()];
  return MARKS.find(({ marks }) => marks.every((one) => names.some((name) => one.test(name))));
}

/** Beginnings of the names of diffusers' classes, models and pipelines alike. */
const CLASSES: readonly (readonly [beginning: string, family: string])[] = [
  ['Flux3', 'FLUX.3'],
  ['Flux2', 'FLUX.2'],
  ['Chroma', 'Chroma'],
  ['FluxPriorRedux', 'FLUX.1 Redux'],
  ['FluxControlNetModel', 'a ControlNet for FLUX.1'],
  ['NunchakuFlux', 'FLUX.1 quantized by SVDQuant (Nunchaku)'],
  ['QwenImage', 'Qwen-Image'],
  ['ZImage', 'Z-Image'],
  ['StableDiffusion3', 'Stable Diffusion 3'],
  ['SD3', 'Stable Diffusion 3'],
  ['StableDiffusionXL', 'Stable Diffusion XL'],
  ['StableDiffusion', 'Stable Diffusion'],
  ['StableCascade', 'Stable Cascade'],
  ['LatentConsistency', 'a latent consistency model'],
  ['UNet', 'Stable Diffusion or another model with a UNet'],
  ['Kolors', 'Kolors'],
  ['PixArt', 'PixArt'],
  ['Sana', 'Sana'],
  ['HiDream', 'HiDream'],
  ['HunyuanDiT', 'Hunyuan-DiT'],
  ['HunyuanImage', 'Hunyuan Image'],
  ['HunyuanVideo', 'Hunyuan Video'],
  ['Hunyuan', 'Hunyuan'],
  ['Lumina', 'Lumina'],
  ['WanPipeline', 'Wan'],
  ['Wan', 'Wan'],
  ['LTX', 'LTX-Video'],
  ['AuraFlow', 'AuraFlow'],
  ['CogVideoX', 'CogVideoX'],
  ['CogView', 'CogView'],
  ['Kandinsky', 'Kandinsky'],
  ['Mochi', 'Mochi'],
  ['OmniGen', 'OmniGen'],
  ['Cosmos', 'Cosmos'],
  ['Krea2', 'Krea 2'],
  ['Bria', 'Bria'],
];

/** The family of a diffusers class that cannot be converted; undefined for one that nobody lists. */
export function familyOfClass(className: string): string | undefined {
  return CLASSES.find(([beginning]) => className.startsWith(beginning))?.[1];
}

/** Repositories on the Hugging Face Hub that need a licence before anything in them can be read. */
const REPOSITORIES: readonly (readonly [name: RegExp, family: string])[] = [
  [/\/black-forest-labs\/FLUX\.2-/i, 'FLUX.2'],
  [/\/black-forest-labs\/FLUX\.1-Fill-/i, 'FLUX.1 Fill'],
  [/\/black-forest-labs\/FLUX\.1-(?:Depth|Canny)-/i, 'FLUX.1 Depth or Canny'],
  [/\/black-forest-labs\/FLUX\.1-Redux-/i, 'FLUX.1 Redux'],
  [/\/stabilityai\/stable-diffusion-3/i, 'Stable Diffusion 3'],
];

/** @param name of a source, such as `https://huggingface.co/ORG/NAME` */
export function familyOfRepository(name: string | undefined): string | undefined {
  return REPOSITORIES.find(([pattern]) => pattern.test(name ?? ''))?.[1];
}

/** @param where the file, or the configuration, that says so */
export function notFlux(where: string, { what, hint }: Foreign): AppError {
  return new AppError('bad-checkpoint', `${where} holds ${what}, not a FLUX.1 model.`, hint);
}

/** @param reason such as a class name */
export function otherFamily(where: string, family: string, reason?: string): AppError {
  const because = reason === undefined ? '' : ` (${reason})`;
  return new AppError(
    'bad-checkpoint',
    `${where} is ${family}${because}, not FLUX.1.`,
    CONVERTIBLE,
  );
}

/** Channels that FLUX.1's image tools take beside the latents, by all that go in. */
const TOOLS: Readonly<Record<number, string>> = {
  128: 'FLUX.1 Depth or Canny, which draw from a control image',
  384: 'FLUX.1 Fill, which draws inside a masked image',
};

/**
 * Refuses transformers that take an image beside the latents.
 * @param inChannels of a packed latent token that goes in
 * @param outChannels of one that comes out, if known
 */
export function refuseTools(where: string, inChannels: unknown, outChannels?: unknown): void {
  if (typeof inChannels !== 'number') return;
  const tool = TOOLS[inChannels];
  const differs = typeof outChannels === 'number' && outChannels !== inChannels;
  if (!tool && !differs) return;
  if (tool && typeof outChannels === 'number' && !differs) return;
  throw new AppError(
    'bad-checkpoint',
    `${where} takes ${inChannels} channels: it is ${tool ?? 'a model that takes an image as input'}, not from text alone.`,
    CONVERTIBLE,
  );
}
