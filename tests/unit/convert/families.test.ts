/**
 * Models that are not FLUX.1 are refused by their names. Tensor names are those that diffusers'
 * single_file_utils.py and its model classes have.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import type { Source } from '../../../src/convert/files.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import { MemoryFiles, safetensorsFile } from './memory.ts';
import { bflTransformer, clip, fileOf, ldmAutoencoder, t5 } from './models.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;

/** A file of tensors of a byte a number, which are never read. */
function headerOf(tensors: Shapes | readonly string[]): Uint8Array {
  const shapes = Array.isArray(tensors)
    ? Object.fromEntries((tensors as string[]).map((name) => [name, [1]]))
    : (tensors as Shapes);
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const bytes = shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'U8', shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  return safetensorsFile(header, new Uint8Array(end));
}

const prefixed = (prefix: string, names: readonly string[]): string[] =>
  names.map((name) => prefix + name);

async function refusal(
  files: Readonly<Record<string, Uint8Array | string>> | Source,
): Promise<AppError> {
  const source = 'list' in files ? (files as Source) : new MemoryFiles(files);
  const error: unknown = await openModel(source).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

/** Everything of FLUX.1 but a transformer. */
let rest: Record<string, Uint8Array | string>;
beforeAll(async () => {
  rest = {
    'ae.safetensors': await fileOf({ '': ldmAutoencoder() }),
    't5xxl_fp16.safetensors': await fileOf({ '': t5() }),
    'clip_l.safetensors': await fileOf({ '': clip() }),
    'tokenizer/tokenizer.json': readFileSync('training/pocket/tokenizer/tokenizer.json', 'utf8'),
    'tokenizer_2/tokenizer.json': readFileSync(
      'training/pocket/tokenizer_2/tokenizer.json',
      'utf8',
    ),
  };
});

const BFL = ['double_blocks.0.img_attn.qkv.weight', 'single_blocks.0.linear1.weight'];
const DIFFUSERS = ['time_text_embed.text_embedder.linear_1.weight', 'x_embedder.weight'];

/** What it is called, and some names in its files; each is a file of its own. */
const FAMILIES: [what: string, ...files: string[][]][] = [
  [
    'a FLUX.2 transformer',
    [...BFL, 'single_stream_modulation.lin.weight', 'double_stream_modulation_img.lin.weight'],
    ['x_embedder.weight', 'single_stream_modulation.linear.weight'],
  ],
  [
    'a Chroma transformer',
    [...BFL, 'distilled_guidance_layer.in_proj.bias'],
    ['x_embedder.weight', 'distilled_guidance_layer.in_proj.weight'],
  ],
  [
    'a Z-Image transformer',
    ['cap_embedder.0.weight', 'layers.0.adaLN_modulation.0.weight', 'cap_pad_token'],
    ['all_x_embedder.2-1.weight', 'cap_embedder.0.weight'],
  ],
  [
    'a Lumina transformer',
    ['cap_embedder.0.weight', 'layers.0.adaLN_modulation.1.weight'],
    ['time_caption_embed.caption_embedder.0.weight'],
  ],
  [
    'a Qwen-Image transformer',
    ['img_in.weight', 'transformer_blocks.0.img_mod.1.weight', 'txt_norm.weight'],
  ],
  [
    'a Stable Diffusion 3 transformer',
    ['joint_blocks.0.context_block.adaLN_modulation.1.bias'],
    [...DIFFUSERS, 'pos_embed.proj.weight', 'transformer_blocks.0.attn.add_k_proj.weight'],
  ],
  [
    'a Hunyuan Video or Hunyuan Image transformer',
    [...BFL, 'txt_in.individual_token_refiner.blocks.0.adaLN_modulation.1.bias'],
    [...DIFFUSERS, 'context_embedder.token_refiner.refiner_blocks.0.attn.to_q.weight'],
  ],
  ['a HiDream transformer', ['double_stream_blocks.0.block.adaLN_modulation.1.bias']],
  [
    'a PixArt transformer',
    ['y_embedder.y_embedding', 't_block.1.weight', 'blocks.0.cross_attn.q_linear.weight'],
    ['adaln_single.linear.weight', 'pos_embed.proj.weight', 'caption_projection.linear_1.weight'],
  ],
  ['a Sana transformer', ['attention_y_norm.weight', 'blocks.0.cross_attn.q_linear.weight']],
  [
    'a Wan transformer',
    ['head.modulation', 'blocks.0.self_attn.q.weight'],
    ['condition_embedder.time_proj.weight', 'blocks.0.attn1.to_q.weight'],
  ],
  [
    'an LTX-Video transformer',
    ['patchify_proj.weight', 'transformer_blocks.27.scale_shift_table'],
    ['proj_in.weight', 'transformer_blocks.0.scale_shift_table', 'time_embed.linear.weight'],
  ],
  ['an AuraFlow transformer', ['double_layers.0.attn.w1q.weight']],
  ['a Mochi transformer', ['blocks.0.attn.qkv_x.weight']],
];

describe.each(FAMILIES.map(([what, ...files]) => ({ what, files })))('$what', ({ what, files }) => {
  test.each(files.map((names) => [names]))('as %o', async (names) => {
    for (const prefix of ['', 'model.diffusion_model.']) {
      const error = await refusal({
        ...rest,
        'some.safetensors': headerOf(prefixed(prefix, names)),
      });
      expect(error.message).toBe(`some.safetensors holds ${what}, not a FLUX.1 model.`);
      expect(error.code).toBe('bad-checkpoint');
      expect(error.hint).toContain('FLUX.1 dev, schnell and fine-tunes');
    }
    const alone = await refusal({ 'some.safetensors': headerOf(names) });
    expect(alone.message).toContain(what);
  });
});

test.each([
  [
    'a Stable Diffusion XL model',
    [
      'conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias',
      'conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight',
      'model.diffusion_model.input_blocks.0.0.weight',
      'first_stage_model.decoder.up.0.block.0.conv1.weight',
    ],
  ],
  [
    'a Stable Diffusion XL model',
    ['down_blocks.0.resnets.0.conv1.weight', 'add_embedding.linear_1.weight'],
  ],
  [
    'a Stable Diffusion 1 or 2 model',
    [
      'model.diffusion_model.input_blocks.0.0.weight',
      'cond_stage_model.transformer.text_model.embeddings.token_embedding.weight',
      'first_stage_model.decoder.up.0.block.0.conv1.weight',
    ],
  ],
  [
    'a Stable Diffusion 1 or 2 model',
    [
      'model.diffusion_model.input_blocks.0.0.weight',
      'cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight',
    ],
  ],
  ['a Stable Diffusion model (UNet)', ['down_blocks.0.resnets.0.conv1.weight', 'conv_in.weight']],
  [
    'a LoRA',
    [
      'transformer.transformer_blocks.0.attn.to_q.lora_A.weight',
      'transformer.transformer_blocks.0.attn.to_q.lora_B.weight',
    ],
  ],
  [
    'a LoRA',
    [
      'lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight',
      'lora_unet_double_blocks_0_img_attn_qkv.alpha',
    ],
  ],
  ['a LoRA', ['lora_unet_double_blocks_0_img_attn_qkv.lokr_w1']],
  ['a LoRA', ['double_blocks.0.processor.qkv_lora1.down.weight']],
  ['a ControlNet', [...DIFFUSERS, 'controlnet_x_embedder.weight', 'controlnet_blocks.0.weight']],
  ['a ControlNet', [...BFL, 'controlnet_blocks.0.weight', 'input_hint_block.0.weight']],
  ['a ControlNet', ['control_model.time_embed.0.weight']],
  [
    'an IP-Adapter',
    [
      'double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight',
      'ip_adapter_proj_model.proj.weight',
    ],
  ],
  ['FLUX.1 Redux, an adapter for image prompts,', ['redux_up.weight', 'redux_down.weight']],
  ['a language model', ['model.layers.0.mlp.gate_proj.weight', 'model.embed_tokens.weight']],
])('%s: %o', async (what, names) => {
  const error = await refusal({ 'some.safetensors': headerOf(names) });
  expect(error.message).toBe(`some.safetensors holds ${what}, not a FLUX.1 model.`);
});

test('a LoRA given as a model is to be given as a LoRA', async () => {
  const { hint } = await refusal({ 'x.safetensors': headerOf(['a.lora_down.weight']) });
  expect(hint).toContain('as a LoRA');
});

test.each([
  [384, 'FLUX.1 Fill'],
  [128, 'FLUX.1 Depth or Canny'],
])('a transformer that takes %i channels is %s', async (channels, words) => {
  for (const prefix of ['', 'model.diffusion_model.']) {
    const transformer = bflTransformer({ guidance: true });
    transformer.add('img_in.weight', [64, channels], new Float32Array(64 * channels));
    const error = await refusal({
      ...rest,
      'x.safetensors': await fileOf({ [prefix]: transformer }),
    });
    expect(error.message).toContain(`takes ${channels} channels: it is ${words}`);
  }
  const config = { _class_name: 'FluxTransformer2DModel', in_channels: channels, out_channels: 64 };
  const folder = await refusal({
    'model_index.json': '{"_class_name":"FluxPipeline"}',
    'transformer/config.json': JSON.stringify(config),
  });
  expect(folder.message).toContain(
    `transformer/config.json takes ${channels} channels: it is ${words}`,
  );
});

test.each([
  ['transformer', 'Flux2Transformer2DModel', 'Flux2Pipeline', 'FLUX.2'],
  ['transformer', 'Flux2Transformer2DModel', 'Flux2KleinPipeline', 'FLUX.2'],
  ['transformer', 'ChromaTransformer2DModel', 'ChromaPipeline', 'Chroma'],
  ['transformer', 'ZImageTransformer2DModel', 'ZImagePipeline', 'Z-Image'],
  ['transformer', 'QwenImageTransformer2DModel', 'QwenImagePipeline', 'Qwen-Image'],
  ['transformer', 'SD3Transformer2DModel', 'StableDiffusion3Pipeline', 'Stable Diffusion 3'],
  ['transformer', 'PixArtTransformer2DModel', 'PixArtSigmaPipeline', 'PixArt'],
  ['transformer', 'HiDreamImageTransformer2DModel', 'HiDreamImagePipeline', 'HiDream'],
  ['transformer', 'HunyuanDiT2DModel', 'HunyuanDiTPipeline', 'Hunyuan-DiT'],
  ['transformer', 'HunyuanVideoTransformer3DModel', 'HunyuanVideoPipeline', 'Hunyuan Video'],
  ['transformer', 'Lumina2Transformer2DModel', 'Lumina2Pipeline', 'Lumina'],
  ['transformer', 'WanTransformer3DModel', 'WanPipeline', 'Wan'],
  ['transformer', 'LTXVideoTransformer3DModel', 'LTXPipeline', 'LTX-Video'],
  ['transformer', 'SanaTransformer2DModel', 'SanaPipeline', 'Sana'],
  ['transformer', 'AuraFlowTransformer2DModel', 'AuraFlowPipeline', 'AuraFlow'],
  ['unet', 'UNet2DConditionModel', 'StableDiffusionXLPipeline', 'Stable Diffusion XL'],
  ['unet', 'UNet2DConditionModel', 'StableDiffusionPipeline', 'Stable Diffusion'],
  ['unet', 'UNet2DConditionModel', 'KolorsPipeline', 'Kolors'],
])('a diffusers folder of %s/%s, %s', async (part, model, pipeline, family) => {
  const index = { 'model_index.json': JSON.stringify({ _class_name: pipeline }) };
  const config = { [`${part}/config.json`]: JSON.stringify({ _class_name: model }) };
  const className = part === 'unet' ? pipeline : model;
  const whole = await refusal({ ...index, ...config });
  expect(whole.message).toBe(`${part}/config.json is ${family} (${className}), not FLUX.1.`);
  expect(whole.hint).toContain('FLUX.1 dev, schnell and fine-tunes');
  const named = await refusal(index);
  expect(named.message).toBe(`model_index.json is ${family} (${pipeline}), not FLUX.1.`);
  if (part === 'transformer') expect((await refusal(config)).message).toContain(family);
  class Unlistable extends MemoryFiles {
    override list(): Promise<string[]> {
      return Promise.resolve([]);
    }
  }
  expect((await refusal(new Unlistable({ ...index, ...config }))).message).toContain(family);
});

test('a diffusers folder of a class that nobody has listed is refused by that class', async () => {
  const config = JSON.stringify({ _class_name: 'NovelTransformer2DModel' });
  const error = await refusal({ 'transformer/config.json': config });
  expect(error.message).toContain('(NovelTransformer2DModel), not FLUX.1.');
});

test.each(['bitsandbytes', 'torchao', 'gguf', 'svdquant'])(
  'a config.json of weights that were quantized by %s',
  async (method) => {
    const config = {
      _class_name: 'FluxTransformer2DModel',
      in_channels: 64,
      quantization_config: { quant_method: method },
    };
    const error = await refusal({ 'transformer/config.json': JSON.stringify(config) });
    expect(error.message).toContain(`the weights were quantized by ${method}`);
  },
);

test.each([
  ['bitsandbytes', [...BFL, 'img_in.weight.quant_state.bitsandbytes__nf4']],
  [
    'SVDQuant (Nunchaku)',
    [...DIFFUSERS, 'transformer_blocks.0.mlp_fc1.qweight', 'transformer_blocks.0.mlp_fc1.wscales'],
  ],
  [
    'SVDQuant (Nunchaku)',
    ['transformer_blocks.0.mlp_fc1.qweight', 'transformer_blocks.0.mlp_fc1.wscales'],
  ],
  [
    'GPTQ or AWQ',
    [
      'encoder.block.0.layer.0.SelfAttention.q.weight',
      'encoder.block.0.layer.0.SelfAttention.q.qzeros',
    ],
  ],
  ['optimum-quanto', [...DIFFUSERS, 'x_embedder.weight._data', 'x_embedder.weight._scale']],
])('weights that were quantized by %s: %o', async (program, names) => {
  const error = await refusal({ 'some.safetensors': headerOf(names) });
  expect(error.message).toContain(`quantized by ${program}`);
  expect(error.hint).toContain('float16');
});

describe('files that are not safetensors', () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

  test.each([
    ['flux1-dev-Q4_K_S.gguf', 'the GGUF format'],
    ['flux.ckpt', "PyTorch's pickle format"],
    ['flux.pt', "PyTorch's pickle format"],
    ['transformer/diffusion_pytorch_model.bin', "PyTorch's pickle format"],
    ['text_encoder/pytorch_model-00001-of-00002.bin', "PyTorch's pickle format"],
    ['transformer/model.onnx', 'the ONNX format'],
  ])('%s', async (path, format) => {
    for (const beside of [{}, rest]) {
      const error = await refusal({ ...beside, [path]: new Uint8Array(20) });
      expect(error.message).toBe(`${path} is in ${format}, which cannot be read.`);
      expect(error.hint).toContain('.safetensors');
    }
  });

  test.each([
    ['GGUF\x03\x00\x00\x00\x00\x00\x00\x00', 'it is in the GGUF format'],
    ['GGUF', 'it is in the GGUF format'],
    ['PK\x03\x04\x00\x00\x08\x08\x00\x00', "it is in PyTorch's pickle format"],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0', 'it is a Git LFS pointer'],
    ['<!DOCTYPE html><html><head>', 'it is a web page'],
  ])('a .safetensors file that begins with %j', async (text, what) => {
    const error = await refusal({ 'flux.safetensors': encode(text) });
    expect(error.message).toContain(`flux.safetensors cannot be read as safetensors: ${what}`);
  });

  test('pickles of every protocol', async () => {
    const pickle = Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20);
    const error = await refusal({ 'flux.safetensors': pickle });
    expect(error.message).toContain("PyTorch's pickle format");
  });
});

test('a part given as a model is named, with what is missing', async () => {
  const error = await refusal({ 'ae.safetensors': rest['ae.safetensors']! });
  expect(error.message).toContain('no transformer');
  expect(error.hint).toMatch(/^There is only the autoencoder\. Add flux1-dev\.safetensors/);
});

test('FLUX.1 Kontext is converted, and what it lacks is said', async () => {
  const transformer = await fileOf({ '': bflTransformer({ guidance: true }) });
  const kontext = await openModel(
    new MemoryFiles({ ...rest, 'flux1-kontext-dev.safetensors': transformer }),
  );
  expect(kontext.notes).toEqual([expect.stringContaining('FLUX.1 Kontext draws from text alone')]);
  const folder = await openModel(
    new MemoryFiles({
      ...rest,
      'flux.safetensors': transformer,
      'model_index.json': '{"_class_name":"FluxKontextPipeline"}',
    }),
  );
  expect(folder.notes).toHaveLength(1);
  const dev = await openModel(new MemoryFiles({ ...rest, 'flux1-dev.safetensors': transformer }));
  expect(dev.notes).toEqual([]);
});

test('a file of another family beside a whole FLUX.1 is named, not used', async () => {
  const model = await openModel(
    new MemoryFiles({
      ...rest,
      'flux1-dev.safetensors': await fileOf({ '': bflTransformer({ guidance: true }) }),
      'style.safetensors': headerOf(['a.lora_down.weight']),
    }),
  );
  expect(model.notes).toEqual(['Not used: style.safetensors.']);
});

test.each([
  ['black-forest-labs/FLUX.2-dev', 'FLUX.2'],
  ['black-forest-labs/FLUX.2-klein-9B', 'FLUX.2'],
  ['black-forest-labs/FLUX.1-Fill-dev', 'FLUX.1 Fill'],
  ['black-forest-labs/FLUX.1-Canny-dev', 'FLUX.1 Depth or Canny'],
  ['stabilityai/stable-diffusion-3.5-large', 'Stable Diffusion 3'],
])('%s on the Hub is %s, whether or not its files may be read', async (name, family) => {
  class Gated extends MemoryFiles {
    readonly name = `https://huggingface.co/${name}`;
    override read(): Promise<Uint8Array> {
      throw new Error('it was read');
    }
  }
  const error = await refusal(new Gated({ 'transformer/config.json': '{}' }));
  expect(error.message).toBe(`https://huggingface.co/${name} is ${family}, not FLUX.1.`);
});
