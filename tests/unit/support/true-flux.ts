/**
 * FLUX.1-dev and FLUX.1-schnell as folders of diffusers in which every tensor has its true shape and
 * all numbers are 0: the files are sparse, 33.7 GB on paper and a few hundred kB on disk.
 */
import { cp, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FLUX, T5 } from '../convert/flux-dev.ts';

type Shape = readonly number[];
type Shapes = Readonly<Record<string, Shape>>;

const POCKET = fileURLToPath(new URL('../../../training/pocket', import.meta.url));
const TOKENIZERS = { tokenizer: 77, tokenizer_2: 512 } as const;

/** Of a file, as the published folders are cut. */
const SHARD_BYTES = 10e9;
/** Of a number, in bfloat16. */
const NUMBER_BYTES = 2;

const HIDDEN = FLUX.num_attention_heads * FLUX.attention_head_dim;
const CLIP = { width: 768, layers: 12, words: 49408, positions: 77 };
const CHANNELS = [128, 256, 512, 512] as const;
const RESNETS = 2;
const LATENT_CHANNELS = 16;

export interface TrueFlux {
  readonly folder: string;
  /** Of all files of weights, as their lengths say. */
  readonly bytes: number;
}

/** @param guidance whether it is FLUX.1-dev, which takes guidance; FLUX.1-schnell does not */
export async function writeTrueFlux(folder: string, guidance: boolean): Promise<TrueFlux> {
  const parts: readonly [string, object, Shapes, string][] = [
    [
      'transformer',
      { ...FLUX, guidance_embeds: guidance, axes_dims_rope: [16, 56, 56], patch_size: 1 },
      transformer(guidance),
      'diffusion_pytorch_model',
    ],
    [
      'text_encoder_2',
      { ...T5, model_type: 't5', relative_attention_max_distance: 128 },
      t5(),
      'model',
    ],
    ['text_encoder', CLIP_CONFIG, clip(), 'model'],
    ['vae', AUTOENCODER_CONFIG, autoencoder(), 'diffusion_pytorch_model'],
  ];
  let bytes = 0;
  for (const [part, config, shapes, stem] of parts) {
    await writeJson(join(folder, part, 'config.json'), config);
    bytes += await writeShards(join(folder, part), stem, shapes);
  }
  for (const [name, tokens] of Object.entries(TOKENIZERS)) {
    await cp(join(POCKET, name), join(folder, name), { recursive: true });
    const path = join(folder, name, 'tokenizer_config.json');
    const config = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeJson(path, { ...config, max_length: tokens, model_max_length: tokens });
  }
  await writeJson(join(folder, 'scheduler', 'scheduler_config.json'), {
    _class_name: 'FlowMatchEulerDiscreteScheduler',
    shift: guidance ? 3 : 1,
    use_dynamic_shifting: guidance,
    base_shift: 0.5,
    max_shift: 1.15,
    base_image_seq_len: 256,
    max_image_seq_len: 4096,
  });
  await writeJson(join(folder, 'model_index.json'), MODEL_INDEX);
  return { folder, bytes };
}

const CLIP_CONFIG = {
  architectures: ['CLIPTextModel'],
  model_type: 'clip_text_model',
  hidden_act: 'quick_gelu',
  hidden_size: CLIP.width,
  intermediate_size: 4 * CLIP.width,
  layer_norm_eps: 1e-5,
  max_position_embeddings: CLIP.positions,
  num_attention_heads: 12,
  num_hidden_layers: CLIP.layers,
  projection_dim: CLIP.width,
  vocab_size: CLIP.words,
};

const AUTOENCODER_CONFIG = {
  _class_name: 'AutoencoderKL',
  act_fn: 'silu',
  block_out_channels: CHANNELS,
  down_block_types: CHANNELS.map(() => 'DownEncoderBlock2D'),
  up_block_types: CHANNELS.map(() => 'UpDecoderBlock2D'),
  in_channels: 3,
  out_channels: 3,
  latent_channels: LATENT_CHANNELS,
  layers_per_block: RESNETS,
  mid_block_add_attention: true,
  norm_num_groups: 32,
  sample_size: 1024,
  scaling_factor: 0.3611,
  shift_factor: 0.1159,
  use_quant_conv: false,
  use_post_quant_conv: false,
};

const MODEL_INDEX = {
  _class_name: 'FluxPipeline',
  scheduler: ['diffusers', 'FlowMatchEulerDiscreteScheduler'],
  text_encoder: ['transformers', 'CLIPTextModel'],
  text_encoder_2: ['transformers', 'T5EncoderModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  tokenizer_2: ['transformers', 'T5TokenizerFast'],
  transformer: ['diffusers', 'FluxTransformer2DModel'],
  vae: ['diffusers', 'AutoencoderKL'],
};

const linear = (name: string, outputs: number, inputs: number): Shapes => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
});
const norm = (name: string, width: number): Shapes => ({
  [`${name}.weight`]: [width],
  [`${name}.bias`]: [width],
});
const convolution = (name: string, outputs: number, inputs: number, size = 3): Shapes => ({
  [`${name}.weight`]: [outputs, inputs, size, size],
  [`${name}.bias`]: [outputs],
});
const merged = (...shapes: readonly Shapes[]): Shapes => Object.assign({}, ...shapes) as Shapes;
const times = (count: number, shapes: (i: number) => Shapes): Shapes =>
  merged(...Array.from({ length: count }, (_, i) => shapes(i)));

function transformer(guidance: boolean): Shapes {
  const embedder = (name: string, inputs: number): Shapes =>
    merged(
      linear(`time_text_embed.${name}.linear_1`, HIDDEN, inputs),
      linear(`time_text_embed.${name}.linear_2`, HIDDEN, HIDDEN),
    );
  const head = { width: FLUX.attention_head_dim };
  return merged(
    embedder('timestep_embedder', 256),
    guidance ? embedder('guidance_embedder', 256) : {},
    embedder('text_embedder', FLUX.pooled_projection_dim),
    linear('context_embedder', HIDDEN, FLUX.joint_attention_dim),
    linear('x_embedder', HIDDEN, FLUX.in_channels),
    times(FLUX.num_layers, (i) => {
      const block = `transformer_blocks.${i}`;
      const square = (name: string): Shapes => linear(`${block}.attn.${name}`, HIDDEN, HIDDEN);
      return merged(
        linear(`${block}.norm1.linear`, 6 * HIDDEN, HIDDEN),
        linear(`${block}.norm1_context.linear`, 6 * HIDDEN, HIDDEN),
        ...['to_q', 'to_k', 'to_v', 'to_out.0'].map(square),
        ...['add_q_proj', 'add_k_proj', 'add_v_proj', 'to_add_out'].map(square),
        ...['norm_q', 'norm_k', 'norm_added_q', 'norm_added_k'].map((name) => ({
          [`${block}.attn.${name}.weight`]: [head.width],
        })),
        ...['ff', 'ff_context'].map((name) =>
          merged(
            linear(`${block}.${name}.net.0.proj`, 4 * HIDDEN, HIDDEN),
            linear(`${block}.${name}.net.2`, HIDDEN, 4 * HIDDEN),
          ),
        ),
      );
    }),
    times(FLUX.num_single_layers, (i) => {
      const block = `single_transformer_blocks.${i}`;
      return merged(
        linear(`${block}.norm.linear`, 3 * HIDDEN, HIDDEN),
        linear(`${block}.proj_mlp`, 4 * HIDDEN, HIDDEN),
        linear(`${block}.proj_out`, HIDDEN, 5 * HIDDEN),
        ...['to_q', 'to_k', 'to_v'].map((name) => linear(`${block}.attn.${name}`, HIDDEN, HIDDEN)),
        {
          [`${block}.attn.norm_q.weight`]: [head.width],
          [`${block}.attn.norm_k.weight`]: [head.width],
        },
      );
    }),
    linear('norm_out.linear', 2 * HIDDEN, HIDDEN),
    linear('proj_out', FLUX.in_channels, HIDDEN),
  );
}

function t5(): Shapes {
  const { d_model: width, d_ff: inner, num_heads: heads, d_kv, num_layers } = T5;
  return merged(
    { 'shared.weight': [T5.vocab_size, width], 'encoder.final_layer_norm.weight': [width] },
    times(num_layers, (i) => {
      const [attention, feedForward] = [0, 1].map((j) => `encoder.block.${i}.layer.${j}`) as [
        string,
        string,
      ];
      const dense = `${feedForward}.DenseReluDense`;
      return {
        ...Object.fromEntries(
          ['q', 'k', 'v'].map((name) => [
            `${attention}.SelfAttention.${name}.weight`,
            [heads * d_kv, width],
          ]),
        ),
        [`${attention}.SelfAttention.o.weight`]: [width, heads * d_kv],
        ...(i === 0 && {
          [`${attention}.SelfAttention.relative_attention_bias.weight`]: [
            T5.relative_attention_num_buckets,
            heads,
          ],
        }),
        [`${attention}.layer_norm.weight`]: [width],
        [`${dense}.wi_0.weight`]: [inner, width],
        [`${dense}.wi_1.weight`]: [inner, width],
        [`${dense}.wo.weight`]: [width, inner],
        [`${feedForward}.layer_norm.weight`]: [width],
      };
    }),
  );
}

function clip(): Shapes {
  const { width, layers, words, positions } = CLIP;
  return merged(
    {
      'text_model.embeddings.token_embedding.weight': [words, width],
      'text_model.embeddings.position_embedding.weight': [positions, width],
    },
    times(layers, (i) => {
      const layer = `text_model.encoder.layers.${i}`;
      return merged(
        ...['k_proj', 'v_proj', 'q_proj', 'out_proj'].map((name) =>
          linear(`${layer}.self_attn.${name}`, width, width),
        ),
        norm(`${layer}.layer_norm1`, width),
        linear(`${layer}.mlp.fc1`, 4 * width, width),
        linear(`${layer}.mlp.fc2`, width, 4 * width),
        norm(`${layer}.layer_norm2`, width),
      );
    }),
    norm('text_model.final_layer_norm', width),
  );
}

function autoencoder(): Shapes {
  const last = CHANNELS.at(-1)!;
  const first = CHANNELS[0];
  const resnet = (name: string, inputs: number, outputs: number): Shapes =>
    merged(
      norm(`${name}.norm1`, inputs),
      convolution(`${name}.conv1`, outputs, inputs),
      norm(`${name}.norm2`, outputs),
      convolution(`${name}.conv2`, outputs, outputs),
      inputs === outputs ? {} : convolution(`${name}.conv_shortcut`, outputs, inputs, 1),
    );
  const middle = (side: string): Shapes =>
    merged(
      norm(`${side}.mid_block.attentions.0.group_norm`, last),
      ...['to_q', 'to_k', 'to_v', 'to_out.0'].map((name) =>
        linear(`${side}.mid_block.attentions.0.${name}`, last, last),
      ),
      ...[0, 1].map((i) => resnet(`${side}.mid_block.resnets.${i}`, last, last)),
    );
  const block = (
    name: string,
    resnets: number,
    [inputs, outputs]: readonly [number, number],
    sampler: string | undefined,
  ): Shapes =>
    merged(
      times(resnets, (j) => resnet(`${name}.resnets.${j}`, j === 0 ? inputs : outputs, outputs)),
      sampler === undefined ? {} : convolution(`${name}.${sampler}.0.conv`, outputs, outputs),
    );
  const down = CHANNELS.map((outputs, i) => [CHANNELS[i - 1] ?? first, outputs] as const);
  const reversed = CHANNELS.toReversed();
  const up = reversed.map((outputs, i) => [reversed[i - 1] ?? last, outputs] as const);
  const isLast = (i: number): boolean => i === CHANNELS.length - 1;
  return merged(
    convolution('encoder.conv_in', first, 3),
    ...down.map((widths, i) =>
      block(`encoder.down_blocks.${i}`, RESNETS, widths, isLast(i) ? undefined : 'downsamplers'),
    ),
    middle('encoder'),
    norm('encoder.conv_norm_out', last),
    convolution('encoder.conv_out', 2 * LATENT_CHANNELS, last),
    convolution('decoder.conv_in', last, LATENT_CHANNELS),
    ...up.map((widths, i) =>
      block(`decoder.up_blocks.${i}`, RESNETS + 1, widths, isLast(i) ? undefined : 'upsamplers'),
    ),
    middle('decoder'),
    norm('decoder.conv_norm_out', first),
    convolution('decoder.conv_out', 3, first),
  );
}

const bytesOf = (shape: Shape): number =>
  NUMBER_BYTES * shape.reduce((product, size) => product * size, 1);

/** Files of up to SHARD_BYTES with their index, or one; gives the bytes of all. */
async function writeShards(folder: string, stem: string, shapes: Shapes): Promise<number> {
  const shards: Record<string, Shape>[] = [{}];
  let filled = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    if (filled > 0 && filled + bytesOf(shape) > SHARD_BYTES) {
      shards.push({});
      filled = 0;
    }
    shards.at(-1)![name] = shape;
    filled += bytesOf(shape);
  }
  const weightMap: Record<string, string> = {};
  let bytes = 0;
  for (const [i, own] of shards.entries()) {
    const digits = (n: number): string => String(n).padStart(5, '0');
    const number = shards.length > 1 ? `-${digits(i + 1)}-of-${digits(shards.length)}` : '';
    const file = `${stem}${number}.safetensors`;
    bytes += await writeSparse(join(folder, file), own);
    for (const name of Object.keys(own)) weightMap[name] = file;
  }
  if (shards.length > 1) {
    await writeJson(join(folder, `${stem}.safetensors.index.json`), { weight_map: weightMap });
  }
  return bytes;
}

/** A header and a hole behind it. */
async function writeSparse(path: string, shapes: Shapes): Promise<number> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const begin = end;
    end += bytesOf(shape);
    header[name] = { dtype: 'BF16', shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = await open(path, 'w');
  try {
    await file.write(Buffer.concat([length, text]));
    await file.truncate(length.length + text.length + end);
  } finally {
    await file.close();
  }
  return length.length + text.length + end;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(value));
}
