/** A FLUX model as a conversion takes it, whichever files it came in. */
import type { AutoencoderTinyConfig } from './autoencoder-config.ts';
import type { PipelineConfigs } from './configs.ts';
import type { Description } from './description.ts';
import type { TensorSource } from './tensors.ts';

export interface ModelParts {
  readonly configs: PipelineConfigs;
  readonly description: Description;
  /** By the names of diffusers' FluxTransformer2DModel. */
  readonly transformer: TensorSource;
  /** By the names of transformers' T5EncoderModel. */
  readonly t5: TensorSource;
  /** By the names of transformers' CLIPTextModel, without a prefix before `embeddings`. */
  readonly clip: TensorSource;
  /** By the names of diffusers' AutoencoderKL or AutoencoderTiny. */
  readonly autoencoder: TensorSource;
  /** AutoencoderTiny for previews, beside an AutoencoderKL. */
  readonly previewer?: {
    readonly config: AutoencoderTinyConfig;
    readonly tensors: TensorSource;
  };
  /** What was merged into the weights, in words that tell it from anything else. */
  readonly merged?: readonly string[];
  /** All tensors of the files that the parts are in, to tell which of them nothing takes. */
  readonly checkpoints?: readonly TensorSource[];
  /** What is worth saying of the model once it is converted, a sentence each. */
  readonly notes?: readonly string[];
  /** Texts of tokenizer.json files. */
  readonly tokenizers: { readonly t5: string; readonly clip: string };
  /** Text of a vocabulary.json, where there is one. */
  readonly vocabulary?: string;
}

/** Every part's weights, the same order every time. */
export function partsOf(model: ModelParts): TensorSource[] {
  const { transformer, t5, clip, autoencoder, previewer } = model;
  return [transformer, t5, clip, autoencoder, ...(previewer ? [previewer.tensors] : [])];
}
