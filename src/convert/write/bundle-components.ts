/** Writes every graph of a bundle and its data; the precisions of a component share one data file. */
import type { GraphFiles, Manifest } from '../../bundle/manifest.ts';
import type { GraphBuilder, Precision } from '../graphs/builder.ts';
import { clipGraph } from '../graphs/components/clip.ts';
import { decoderGraph } from '../graphs/components/decoder.ts';
import { encoderGraph } from '../graphs/components/encoder.ts';
import { headGraph } from '../graphs/components/head.ts';
import { t5Graph } from '../graphs/components/t5.ts';
import { trunkGraph } from '../graphs/components/trunk.ts';
import type { ModelParts } from '../checkpoint/model-parts.ts';
import type { Output } from './output.ts';
import { planT5, planTrunk, storedSizes } from '../graphs/segments.ts';
import type { TensorSource } from '../checkpoint/tensors.ts';
import { Weights, type WeightSettings } from '../quantize/weights.ts';

type Components = Manifest['components'];
type InBoth = Components['clip'];

export interface ComponentSettings extends WeightSettings {
  readonly segmentBytes?: number;
  /** Told, in words, what comes next. */
  readonly begin: (what: string) => void;
}

export async function writeComponents(
  model: ModelParts,
  output: Output,
  settings: ComponentSettings,
): Promise<Components> {
  const writer = new ComponentWriter(model, output, settings);
  // The small ones first, so that a checkpoint that does not fit is refused early.
  const clip = await writer.clip();
  const pictures = await writer.autoencoder();
  const t5 = await writer.t5();
  return { t5, clip, ...(await writer.transformer()), ...pictures };
}

class ComponentWriter {
  constructor(
    private readonly model: ModelParts,
    private readonly output: Output,
    private readonly settings: ComponentSettings,
  ) {}

  async clip(): Promise<InBoth> {
    await this.begin('CLIP text encoder');
    const { configs, clip } = this.model;
    const weights = await this.weights('clip.data', clip);
    const graph = await clipGraph(configs.clip, configs.clipTokens, weights);
    const files = await this.write('clip.onnx', graph, ['clip.data']);
    return { float32: files, float16: files };
  }

  async autoencoder(): Promise<Pick<Components, 'decoder' | 'encoder' | 'previewer'>> {
    await this.begin('autoencoder');
    const { configs, autoencoder, previewer } = this.model;
    const weights = await this.weights('decoder.data', autoencoder);
    const decoder = await this.inBoth('decoder', ['decoder.data'], (precision) =>
      decoderGraph(configs.autoencoder, precision, weights),
    );
    const parts: Pick<Components, 'decoder' | 'encoder' | 'previewer'> = { decoder };
    if (configs.autoencoder._class_name === 'AutoencoderKL') {
      const encoderWeights = await this.weights('encoder.data', autoencoder);
      const config = configs.autoencoder;
      parts.encoder = await this.inBoth('encoder', ['encoder.data'], (precision) =>
        encoderGraph(config, precision, encoderWeights),
      );
    }
    if (previewer) {
      const previewWeights = await this.weights('previewer.data', previewer.tensors);
      parts.previewer = await this.inBoth('previewer', ['previewer.data'], (precision) =>
        decoderGraph(previewer.config, precision, previewWeights),
      );
    }
    return parts;
  }

  /** One graph for both precisions: T5's activations exceed half precision. */
  async t5(): Promise<Components['t5']> {
    await this.begin('T5 text encoder');
    const { configs, t5 } = this.model;
    const { quantization, segmentBytes } = this.settings;
    const segments = planT5(configs.t5, storedSizes(quantization), segmentBytes);
    const nameOf = numbered('t5', segments.length);
    const biasFile = segments.length > 1 ? 't5.bias.data' : 't5.data';
    let bias = segments.length > 1 ? await this.weights(biasFile, t5) : undefined;
    const files: GraphFiles[] = [];
    for (const [i, blocks] of segments.entries()) {
      const data = `${nameOf(i)}.data`;
      const weights = await this.weights(data, t5);
      bias ??= weights;
      const graph = await t5Graph(configs.t5, configs.t5Tokens, weights, bias, blocks);
      files.push(await this.write(`${nameOf(i)}.onnx`, graph, unique(data, biasFile)));
    }
    return { float32: files, float16: files };
  }

  async transformer(): Promise<Pick<Components, 'trunk' | 'head'>> {
    await this.begin('transformer');
    const { configs, transformer } = this.model;
    const { flux, t5Tokens } = configs;
    // The head and the trunk both begin with the timestep's embedding.
    const conditioning = await this.weights('conditioning.data', transformer);
    const headWeights = await this.weights('head.data', transformer);
    const head = await this.inBoth('head', ['head.data', 'conditioning.data'], (precision) =>
      headGraph(flux, precision, headWeights, conditioning),
    );
    const { quantization, segmentBytes } = this.settings;
    const segments = planTrunk(flux, storedSizes(quantization), segmentBytes);
    const nameOf = numbered('trunk', segments.length);
    const trunk: { float32: GraphFiles[]; float16: GraphFiles[] } = { float32: [], float16: [] };
    for (const [i, segment] of segments.entries()) {
      const name = nameOf(i);
      const weights = await this.weights(`${name}.data`, transformer);
      const data = [`${name}.data`, ...(i === 0 ? ['conditioning.data'] : [])];
      const files = await this.inBoth(name, data, (precision) =>
        trunkGraph(flux, t5Tokens, precision, weights, conditioning, segment),
      );
      trunk.float32.push(files.float32);
      trunk.float16.push(files.float16);
    }
    return { head, trunk };
  }

  /** A component that is done need not be done again. */
  private async begin(what: string): Promise<void> {
    await this.output.commit();
    this.settings.begin(what);
  }

  private async weights(file: string, source: TensorSource): Promise<Weights> {
    return new Weights(source, await this.output.dataFile(file), this.settings);
  }

  private async write(
    file: string,
    graph: GraphBuilder,
    data: readonly string[],
  ): Promise<GraphFiles> {
    await this.output.write(file, graph.encode());
    return { graph: file, data: [...data] };
  }

  private async inBoth(
    name: string,
    data: readonly string[],
    make: (precision: Precision) => Promise<GraphBuilder>,
  ): Promise<InBoth> {
    return {
      float32: await this.write(`${name}.float32.onnx`, await make('float32'), data),
      float16: await this.write(`${name}.float16.onnx`, await make('float16'), data),
    };
  }
}

/** A component in one piece has no number. */
function numbered(name: string, count: number): (i: number) => string {
  return (i) => (count > 1 ? `${name}.${i}` : name);
}

function unique(...paths: string[]): string[] {
  return [...new Set(paths)];
}
