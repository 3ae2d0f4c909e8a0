/** The small models of tests/golden/flux (training/flux_goldens.py), their graphs and what runs them. */
import { readFile } from 'node:fs/promises';
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { runSession, type Ort, type Tensors } from '../../../src/runtime/ort/session.ts';
import { ortQueue } from '../../../src/shared/serial.ts';
import { FileHash } from '../../../src/bundle/file-hash.ts';
import { floatsToHalves, numbersOf } from '../../../src/shared/half.ts';
import type { GraphBuilder } from '../../../src/convert/graphs/builder.ts';
import { DataFile } from '../../../src/convert/write/data-file.ts';
import type { Quantization } from '../../../src/convert/quantize/precision-policy.ts';
import { cpuQuantizer } from '../../../src/convert/quantize/quantizer.ts';
import { openFile } from '../../../src/convert/checkpoint/safetensors.ts';
import { readAll, type TensorSource } from '../../../src/convert/checkpoint/tensors.ts';
import { Weights } from '../../../src/convert/quantize/weights.ts';
import { FolderSource } from '../../../src/node/source-folder.ts';
import { ortCpu } from '../../../src/node/ort.ts';
import { MemoryBundle } from './memory-bundle.ts';

const FOLDER = 'tests/golden/flux';

export interface SmallModel {
  /** The content of its config.json. */
  readonly config: unknown;
  readonly tensors: TensorSource;
  /** An input or an output, by the name that flux_goldens.py gives it. */
  golden(name: string): Promise<{ shape: readonly number[]; data: Float32Array }>;
}

export async function openSmallModel(name: string): Promise<SmallModel> {
  const folder = new FolderSource(FOLDER);
  const goldens = await openFile(folder, `${name}.goldens.safetensors`);
  return {
    config: JSON.parse(await readFile(`${FOLDER}/${name}.json`, 'utf8')) as unknown,
    tensors: await openFile(folder, `${name}.safetensors`),
    golden: async (array) => ({ shape: goldens.shape(array), data: await readAll(goldens, array) }),
  };
}

/** The data files of one conversion. */
export class DataFiles {
  private readonly bundle = new MemoryBundle();
  readonly folder = this.bundle.open();

  constructor(private readonly quantization: Quantization = 'none') {}

  weights(file: string, tensors: TensorSource): Weights {
    return new Weights(tensors, new DataFile(this.folder, file, new FileHash(), []), {
      quantization: this.quantization,
      quantizer: cpuQuantizer(),
    });
  }

  /** A session of one graph, with all data files so far. Its user releases it. */
  session(
    graph: GraphBuilder,
    ort: Ort,
    options: InferenceSession.SessionOptions,
  ): Promise<InferenceSession> {
    const externalData = [...this.bundle.files()].map(([path, data]) => ({ path, data }));
    return ortQueue.run(() =>
      ort.InferenceSession.create(graph.encode(), { ...options, externalData }),
    );
  }

  /**
   * Runs consecutive graphs, each on `feeds` and on what earlier ones gave.
   *
   * @returns all that they gave, as float32
   */
  async run(
    graphs: readonly GraphBuilder[],
    feeds: Tensors,
    ort: Ort,
    options: InferenceSession.SessionOptions,
  ): Promise<Record<string, Float32Array>> {
    const given = { ...feeds };
    const outputs: Record<string, Float32Array> = {};
    for (const graph of graphs) {
      const session = await this.session(graph, ort, options);
      try {
        const results = await runSession(ortQueue, session, given);
        Object.assign(given, results);
        for (const [name, tensor] of Object.entries(results))
          outputs[name] = numbersOf(tensor.data);
      } finally {
        await session.release();
      }
    }
    return outputs;
  }

  async runOnCpu(
    graphs: readonly GraphBuilder[],
    feeds: Tensors,
  ): Promise<Record<string, Float32Array>> {
    const { ort, threads } = await ortCpu();
    ort.env.wasm.numThreads = threads;
    return this.run(graphs, feeds, ort, { executionProviders: ['wasm'], logSeverityLevel: 3 });
  }
}

/** Goldens as float32 tensors, by the names of a graph's inputs. */
export async function floatFeeds(
  model: SmallModel,
  names: Readonly<Record<string, string>>,
): Promise<Record<string, Tensor>> {
  const { ort } = await ortCpu();
  const feeds: Record<string, Tensor> = {};
  for (const [input, name] of Object.entries(names)) {
    const { data, shape } = await model.golden(name);
    feeds[input] = new ort.Tensor('float32', data, shape);
  }
  return feeds;
}

export async function integerFeeds(
  model: SmallModel,
  names: readonly string[],
): Promise<Record<string, Tensor>> {
  const { ort } = await ortCpu();
  const feeds: Record<string, Tensor> = {};
  for (const name of names) {
    const { data, shape } = await model.golden(name);
    feeds[name] = new ort.Tensor('int32', Int32Array.from(data), shape);
  }
  return feeds;
}

/** The same numbers in half precision. */
export async function halved(tensor: Tensor): Promise<Tensor> {
  const { ort } = await ortCpu();
  return new ort.Tensor('float16', floatsToHalves(tensor.data as Float32Array), tensor.dims);
}
