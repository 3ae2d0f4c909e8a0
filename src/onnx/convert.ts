/** From a diffusers FLUX pipeline folder to a bundle (docs/bundle.md). */
import { parseManifest, type GraphFiles, type Manifest } from '../bundle/manifest.ts';
import type { GraphBuilder, Precision } from './builder.ts';
import { clipGraph } from './components/clip.ts';
import { decoderGraph } from './components/decoder.ts';
import { headGraph } from './components/head.ts';
import { t5Graph } from './components/t5.ts';
import { trunkGraph } from './components/trunk.ts';
import { readConfigs, type PipelineConfigs } from './configs.ts';
import { readDescription } from './description.ts';
import type { Sink, Source } from './files.ts';
import { HashingSink } from './hashing-sink.ts';
import type { Quantization } from './policy.ts';
import { openCheckpoint, type Checkpoint } from './safetensors.ts';
import { DataFile, Weights } from './weights.ts';

export interface ConversionProgress {
  /** The component being written. */
  readonly what: string;
  /** Bytes of weights read so far, and in all. */
  readonly readBytes: number;
  readonly totalBytes: number;
}

export interface ConversionOptions {
  readonly quantization: Quantization;
  readonly onProgress?: (progress: ConversionProgress) => void;
}

/**
 * Converts, tensor by tensor, and returns the manifest that it wrote last, as manifest.json.
 * Throws `AppError` `not-found` or `bad-checkpoint`, naming the file and the field.
 */
export async function convert(
  source: Source,
  sink: Sink,
  { quantization, onProgress }: ConversionOptions,
): Promise<Manifest> {
  const configs = await readConfigs(source);
  const description = await readDescription(source);
  const progress = { what: '', readBytes: 0, totalBytes: 0 };
  const counted: Source = {
    has: (path) => source.has(path),
    size: (path) => source.size(path),
    read: (path, offset, length) => {
      // Headers are read before the total is known.
      if (progress.totalBytes > 0) {
        progress.readBytes += length;
        onProgress?.({ ...progress });
      }
      return source.read(path, offset, length);
    },
  };
  const checkpoints = await openCheckpoints(counted);
  for (const { tensors } of Object.values(checkpoints)) {
    for (const { bytes } of tensors.values()) progress.totalBytes += bytes;
  }

  const output = new HashingSink(sink);
  const begin = (what: string): void => void (progress.what = what);
  const components = await writeComponents(configs, checkpoints, output, quantization, begin);
  begin('tokenizers');
  const tokenizers = {
    t5: await copy(source, 'tokenizer_2/tokenizer.json', output, 'tokenizers/t5.json'),
    clip: await copy(source, 'tokenizer/tokenizer.json', output, 'tokenizers/clip.json'),
  };
  const manifest: Manifest = {
    format: 'hicache-bundle',
    version: 1,
    ...description,
    ...describeModel(configs),
    components,
    tokenizers,
    files: output.files(),
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const checked = parseManifest(text, 'manifest.json');
  await sink.append('manifest.json', new TextEncoder().encode(text));
  onProgress?.({ what: 'done', readBytes: progress.totalBytes, totalBytes: progress.totalBytes });
  return checked;
}

interface Checkpoints {
  readonly transformer: Checkpoint;
  readonly t5: Checkpoint;
  readonly clip: Checkpoint;
  readonly autoencoder: Checkpoint;
}

async function openCheckpoints(source: Source): Promise<Checkpoints> {
  return {
    transformer: await openCheckpoint(source, 'transformer', 'diffusion_pytorch_model'),
    t5: await openCheckpoint(source, 'text_encoder_2', 'model'),
    clip: await openCheckpoint(source, 'text_encoder', 'model'),
    autoencoder: await openCheckpoint(source, 'vae', 'diffusion_pytorch_model'),
  };
}

/** Writes every graph and its data; the precisions of a component share one data file. */
async function writeComponents(
  configs: PipelineConfigs,
  checkpoints: Checkpoints,
  sink: Sink,
  quantization: Quantization,
  begin: (what: string) => void,
): Promise<Manifest['components']> {
  const weightsIn = (file: string, checkpoint: Checkpoint, prefix = ''): Weights =>
    new Weights(checkpoint, new DataFile(sink, file), quantization, prefix);
  const write = async (
    file: string,
    graph: GraphBuilder,
    ...data: string[]
  ): Promise<GraphFiles> => {
    await sink.append(file, graph.encode());
    return { graph: file, data };
  };
  const inBoth = async (
    name: string,
    data: string[],
    make: (precision: Precision) => Promise<GraphBuilder>,
  ): Promise<Record<Precision, GraphFiles>> => ({
    float32: await write(`${name}.float32.onnx`, await make('float32'), ...data),
    float16: await write(`${name}.float16.onnx`, await make('float16'), ...data),
  });

  // The small ones first, so that a checkpoint that does not fit is refused early.
  begin('CLIP text encoder');
  // Older checkpoints name the text model's tensors after the whole CLIP that it is part of.
  const prefix = checkpoints.clip.has('final_layer_norm.weight') ? '' : 'text_model.';
  const clipWeights = weightsIn('clip.data', checkpoints.clip, prefix);
  const clip = await write(
    'clip.onnx',
    await clipGraph(configs.clip, configs.clipTokens, clipWeights),
    'clip.data',
  );
  begin('autoencoder');
  const decoderWeights = weightsIn('decoder.data', checkpoints.autoencoder);
  const decoder = await inBoth('decoder', ['decoder.data'], (precision) =>
    decoderGraph(configs.autoencoder, precision, decoderWeights),
  );
  begin('T5 text encoder');
  const t5Weights = weightsIn('t5.data', checkpoints.t5);
  const t5 = await write(
    't5.onnx',
    await t5Graph(configs.t5, configs.t5Tokens, t5Weights),
    't5.data',
  );
  begin('transformer');
  // The head and the trunk both begin with the timestep's embedding.
  const conditioning = weightsIn('conditioning.data', checkpoints.transformer);
  const headWeights = weightsIn('head.data', checkpoints.transformer);
  const head = await inBoth('head', ['head.data', 'conditioning.data'], (precision) =>
    headGraph(configs.flux, precision, headWeights, conditioning),
  );
  const trunkWeights = weightsIn('trunk.data', checkpoints.transformer);
  const trunk = await inBoth('trunk', ['trunk.data', 'conditioning.data'], (precision) =>
    trunkGraph(configs.flux, configs.t5Tokens, precision, trunkWeights, conditioning),
  );
  return {
    t5: { float32: t5, float16: t5 },
    clip: { float32: clip, float16: clip },
    trunk: { float32: [trunk.float32], float16: [trunk.float16] },
    head,
    decoder,
  };
}

function describeModel(
  configs: PipelineConfigs,
): Pick<Manifest, 'transformer' | 'text' | 'autoencoder' | 'scheduler'> {
  const { flux, autoencoder, scheduler } = configs;
  const stages = autoencoder.num_decoder_blocks.length;
  return {
    transformer: {
      hidden: flux.num_attention_heads * flux.attention_head_dim,
      heads: flux.num_attention_heads,
      headWidth: flux.attention_head_dim,
      axes: flux.axes_dims_rope,
      doubleBlocks: flux.num_layers,
      singleBlocks: flux.num_single_layers,
      latentWidth: flux.in_channels,
      textWidth: flux.joint_attention_dim,
      pooledWidth: flux.pooled_projection_dim,
    },
    text: { t5Tokens: configs.t5Tokens, clipTokens: configs.clipTokens },
    autoencoder: { latentChannels: autoencoder.latent_channels, downscale: 2 ** (stages - 1) },
    scheduler: {
      shift: scheduler.shift,
      useDynamicShifting: scheduler.use_dynamic_shifting,
      baseShift: scheduler.base_shift,
      maxShift: scheduler.max_shift,
      baseImageTokens: scheduler.base_image_seq_len,
      maxImageTokens: scheduler.max_image_seq_len,
    },
  };
}

async function copy(source: Source, from: string, sink: Sink, to: string): Promise<string> {
  await sink.append(to, await source.read(from, 0, await source.size(from)));
  return to;
}
