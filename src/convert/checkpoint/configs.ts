/** The config.json files of a diffusers FLUX pipeline folder: what a conversion needs of them. */
import * as v from 'valibot';
import { scheduleFields } from '../../bundle/schedule-fields.ts';
import { AppError } from '../../shared/errors.ts';
import {
  autoencoder,
  autoencoderPairs,
  autoencoderTiny,
  type AutoencoderConfig,
  type Pair,
} from './autoencoder-config.ts';
import { readText, type Source } from '../files.ts';

const size = v.pipe(v.number(), v.integer(), v.minValue(1));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const epsilon = v.pipe(v.number(), v.finite(), v.minValue(0));

/** diffusers' FluxTransformer2DModel. */
const flux = v.object({
  _class_name: v.literal('FluxTransformer2DModel'),
  patch_size: v.optional(v.literal(1), 1),
  in_channels: size,
  num_layers: count,
  num_single_layers: count,
  attention_head_dim: size,
  num_attention_heads: size,
  joint_attention_dim: size,
  pooled_projection_dim: size,
  /** Whether the guidance scale is an input, as in FLUX.1-dev. */
  guidance_embeds: v.optional(v.boolean(), false),
  axes_dims_rope: v.optional(v.tuple([size, size, size]), [16, 56, 56]),
});

/** transformers' T5EncoderModel. */
const t5 = v.object({
  vocab_size: size,
  d_model: size,
  d_kv: size,
  d_ff: size,
  num_layers: size,
  num_heads: size,
  feed_forward_proj: v.literal('gated-gelu'),
  layer_norm_epsilon: epsilon,
  relative_attention_num_buckets: size,
  relative_attention_max_distance: v.optional(size, 128),
});

/** transformers' CLIPTextModel. */
const clip = v.object({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  max_position_embeddings: size,
  hidden_act: v.picklist(['quick_gelu', 'gelu']),
  layer_norm_eps: epsilon,
});

const { shift, logShift, imageTokens } = scheduleFields;

/** diffusers' FlowMatchEulerDiscreteScheduler. The sampler knows none of its rarer variants. */
const scheduler = v.pipe(
  v.object({
    _class_name: v.literal(
      'FlowMatchEulerDiscreteScheduler',
      ({ received }) =>
        `FLUX.1 is sampled by FlowMatchEulerDiscreteScheduler, but this is ${received}`,
    ),
    num_train_timesteps: v.optional(v.literal(1000), 1000),
    shift: v.optional(shift, 1),
    use_dynamic_shifting: v.optional(v.boolean(), false),
    base_shift: v.optional(logShift, 0.5),
    max_shift: v.optional(logShift, 1.15),
    base_image_seq_len: v.optional(imageTokens, 256),
    max_image_seq_len: v.optional(imageTokens, 4096),
    invert_sigmas: v.optional(v.literal(false), false),
    shift_terminal: v.optional(v.null(), null),
    stochastic_sampling: v.optional(v.literal(false), false),
    time_shift_type: v.optional(v.literal('exponential'), 'exponential'),
    use_beta_sigmas: v.optional(v.nullable(v.literal(false)), false),
    use_exponential_sigmas: v.optional(v.nullable(v.literal(false)), false),
    use_karras_sigmas: v.optional(v.nullable(v.literal(false)), false),
  }),
  v.forward(
    v.check(
      (config) =>
        !config.use_dynamic_shifting || config.base_image_seq_len < config.max_image_seq_len,
      'must be more than base_image_seq_len',
    ),
    ['max_image_seq_len'],
  ),
);

const tokenizer = v.object({ model_max_length: v.pipe(size, v.maxValue(4096)) });

/** What validates each config.json, for `parseConfig`. */
export const schemas = {
  flux,
  t5,
  clip,
  autoencoder,
  autoencoderTiny,
  scheduler,
  tokenizer,
} as const;

export type FluxConfig = v.InferOutput<typeof flux>;
export type T5Config = v.InferOutput<typeof t5>;
export type ClipConfig = v.InferOutput<typeof clip>;
export type SchedulerConfig = v.InferOutput<typeof scheduler>;

export interface PipelineConfigs {
  readonly flux: FluxConfig;
  readonly t5: T5Config;
  readonly clip: ClipConfig;
  readonly autoencoder: AutoencoderConfig;
  readonly scheduler: SchedulerConfig;
  /** Lengths to which prompts are padded. */
  readonly t5Tokens: number;
  readonly clipTokens: number;
}

/** Reads and checks them all. Throws `AppError` that names the file and the field. */
export async function readConfigs(source: Source): Promise<PipelineConfigs> {
  const configs = {
    flux: await readConfig(source, 'transformer/config.json', flux),
    t5: await readConfig(source, 'text_encoder_2/config.json', t5),
    clip: await readConfig(source, 'text_encoder/config.json', clip),
    autoencoder: await readConfig(source, 'vae/config.json', autoencoder),
    scheduler: await readConfig(source, 'scheduler/scheduler_config.json', scheduler),
    t5Tokens: (await readConfig(source, 'tokenizer_2/tokenizer_config.json', tokenizer))
      .model_max_length,
    clipTokens: (await readConfig(source, 'tokenizer/tokenizer_config.json', tokenizer))
      .model_max_length,
  };
  checkConfigs(configs);
  return configs;
}

export async function readConfig<Schema extends v.GenericSchema>(
  source: Source,
  path: string,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  if (!(await source.has(path))) {
    throw new AppError(
      'not-found',
      `${path} does not exist.`,
      'Choose a folder with a FLUX pipeline as diffusers saves it.',
    );
  }
  const text = await readText(source, path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const what = notANumber(text) ?? 'is not valid JSON';
    throw new AppError('bad-checkpoint', `${path}: ${what}.`, 'Correct it, or download it again.', {
      cause,
    });
  }
  return parseConfig(schema, json, path);
}

/** Python writes numbers that JSON does not have. */
function notANumber(text: string): string | undefined {
  const found = /"(?<field>\w+)"\s*:\s*(?<value>NaN|-?Infinity)\b/.exec(text)?.groups;
  return found && `${found['field']} is ${found['value']}, not a finite number`;
}

/**
 * Validates what a config.json says, or what was inferred in its place.
 *
 * @param where it comes from, for the error
 * @throws AppError `bad-checkpoint` that names the field
 */
export function parseConfig<Schema extends v.GenericSchema>(
  schema: Schema,
  json: unknown,
  where: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? 'the top level';
  throw unsupported(`${where}: ${field}: ${issue.message}`);
}

/**
 * What two of the configs state, or two fields of one, must fit together.
 * @throws AppError `bad-checkpoint` that names both fields
 */
export function checkConfigs({ flux, t5, clip, autoencoder, clipTokens }: PipelineConfigs): void {
  const head = flux.axes_dims_rope.reduce((sum, width) => sum + width, 0);
  const pairs: Pair[] = [
    ['transformer joint_attention_dim', flux.joint_attention_dim, 'T5 d_model', t5.d_model],
    [
      'transformer pooled_projection_dim',
      flux.pooled_projection_dim,
      'CLIP width',
      clip.hidden_size,
    ],
    ['transformer attention_head_dim', flux.attention_head_dim, 'sum of axes_dims_rope', head],
    ['transformer in_channels', flux.in_channels, '4 latents', 4 * autoencoder.latent_channels],
    ...autoencoderPairs(autoencoder),
  ];
  for (const [one, value, other, otherValue] of pairs) {
    if (value !== otherValue) throw unsupported(`${one}, ${value}, is not ${other}, ${otherValue}`);
  }
  if (clipTokens > clip.max_position_embeddings) {
    throw unsupported(
      `the CLIP tokenizer's model_max_length, ${clipTokens}, exceeds max_position_embeddings`,
    );
  }
}

function unsupported(what: string): AppError {
  return new AppError(
    'bad-checkpoint',
    `${what}.`,
    'This kind of checkpoint cannot be converted; FLUX.1 dev, schnell and fine-tunes of them can.',
  );
}
