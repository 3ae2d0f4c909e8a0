import type { Backend, Conditioning, DenoiseRun } from '../../../src/backend/backend.ts';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import { GraphBuilder, type Precision } from '../../../src/onnx/builder.ts';
import { testManifest } from '../support/manifest.ts';

/**
 * A bundle whose graphs are formulas, so that a run on a real ONNX Runtime can be followed by
 * hand. All widths are 64; its trunk has two segments.
 *
 *     text_i   = id_i                  (every channel)
 *     pooled   = id at `end`           (every channel)
 *     stream   = x / (1 + x * x), where x = 3 * latents * sigma
 *     features = stream + mean(text) / 10 + pooled / 100
 *     velocity = features * (1 + sigma)
 *     image    = the first 3 of 4 channels, each token a block of 4 x 4 pixels
 */
export function formulaBundle(): Bundle {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const add = (path: string, bytes: Uint8Array<ArrayBuffer>) => {
    files.set(path, bytes);
    return { graph: path, data: [] };
  };
  const both = (make: (precision: Precision) => Uint8Array<ArrayBuffer>, name: string) => ({
    float32: add(`${name}.float32.onnx`, make('float32')),
    float16: add(`${name}.float16.onnx`, make('float16')),
  });
  const inputWidths = both(streamGraph, 'trunk/0');
  const outputWidths = both(featuresGraph, 'trunk/1');
  const manifest = testManifest();
  const bundle: Bundle = {
    manifest: {
      ...manifest,
      transformer: { ...manifest.transformer, hidden: 64, textWidth: 64, pooledWidth: 64 },
      components: {
        t5: both(t5Graph, 't5'),
        clip: both(clipGraph, 'clip'),
        trunk: {
          float32: [inputWidths.float32, outputWidths.float32],
          float16: [inputWidths.float16, outputWidths.float16],
        },
        head: both(headGraph, 'head'),
        decoder: both(decoderGraph, 'decoder'),
      },
    },
    read(path) {
      const bytes = files.get(path);
      return bytes ? Promise.resolve(bytes.slice()) : Promise.reject(new Error(`no ${path}`));
    },
    blob: async (path) => new Blob([await bundle.read(path)]),
  };
  return bundle;
}

const ones = (graph: GraphBuilder) =>
  graph.floats('ones', [1, 64], new Float32Array(64).fill(1), 'float32');
const number = (graph: GraphBuilder, value: number) =>
  graph.floats(`number ${value}`, [1], [value], 'float32');

function t5Graph(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('t5', precision);
  const ids = graph.cast(graph.input('input_ids', 'int32', [1, 'T']), 'float32');
  const column = graph.op('Reshape', [ids, graph.integers([1, -1, 1])]);
  graph.output('text', 'float32', [1, 'T', 64], graph.op('Mul', [column, ones(graph)]));
  return graph.encode();
}

function clipGraph(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('clip', precision);
  const ids = graph.cast(graph.input('input_ids', 'int32', [1, 'C']), 'float32');
  const end = graph.input('end', 'int32', [1]);
  const id = graph.op('Gather', [ids, end], { axis: 1 });
  graph.output('pooled', 'float32', [1, 64], graph.op('Mul', [id, ones(graph)]));
  return graph.encode();
}

function streamGraph(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('stream', precision);
  const latents = graph.input('latents', 'float32', [1, 'N', 64]);
  const sigma = graph.input('timestep', 'float32', [1]);
  const x = graph.op('Mul', [graph.op('Mul', [latents, sigma]), number(graph, 3)]);
  const square = graph.op('Add', [graph.op('Mul', [x, x]), number(graph, 1)]);
  graph.output('stream', 'float32', [1, 'N', 64], graph.op('Div', [x, square]));
  return graph.encode();
}

function featuresGraph(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('features', precision);
  const stream = graph.input('stream', 'float32', [1, 'N', 64]);
  const text = graph.input('text', 'float32', [1, 'T', 64]);
  const pooled = graph.input('pooled', 'float32', [1, 64]);
  const mean = graph.op('ReduceMean', [text, graph.integers([1])], { keepdims: 1 });
  const fromText = graph.op('Mul', [mean, number(graph, 0.1)]);
  const fromPooled = graph.op('Mul', [pooled, number(graph, 0.01)]);
  const sum = graph.op('Add', [graph.op('Add', [stream, fromText]), fromPooled]);
  // A float32 graph casts too, to nothing, so that the output is always a node's own.
  graph.output('features', precision, [1, 'N', 64], graph.cast(sum, precision));
  return graph.encode();
}

function headGraph(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('head', precision);
  const features = graph.cast(graph.input('features', precision, [1, 'N', 64]), 'float32');
  const sigma = graph.input('timestep', 'float32', [1]);
  const factor = graph.op('Add', [sigma, number(graph, 1)]);
  graph.output('velocity', 'float32', [1, 'N', 64], graph.op('Mul', [features, factor]));
  return graph.encode();
}

function decoderGraph(precision: Precision): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('decoder', precision);
  const latents = graph.input('latents', 'float32', [1, 'rows', 'columns', 64]);
  const channels = graph.op('Transpose', [latents], { perm: [0, 3, 1, 2] });
  const four = graph.op('DepthToSpace', [channels], { blocksize: 4, mode: 'CRD' });
  const limits = [[0], [3], [1]].map((values) => graph.integers(values));
  const three = graph.op('Slice', [four, ...limits]);
  graph.output('image', 'float32', [1, 3, 'height', 'width'], three);
  return graph.encode();
}

const GRID = { rows: 3, columns: 2 };
const TOKENS = { t5: Int32Array.of(3, 1, 4, 1, 5), clip: Int32Array.of(2, 7, 1, 8), clipEnd: 1 };
const FROM_TEXT = 0.1 * (14 / 5) + 0.01 * 7;

/** Compute steps until the ring of anchors has gone round, then a forecast from all it may read. */
const SIGMAS = [1, 0.9, 0.8, 0.7, 0.65, 0.6, 0.5, 0.45, 0.4];
const WEIGHTS = [2.5, -2, 1, -0.75, 0.5, -0.25];
const LAST = 0.3;
/** The first step has one velocity, the others have two. */
const deltas = (step: number) => (step === 0 ? [-0.1] : [-0.15, 0.05]);
/** Older anchors in the products after a compute step: as many as there are, up to six. */
const olderAt = (step: number) => Math.min(step, 6);

export interface Followed {
  readonly latents: Float32Array;
  /** The latents before the last step, which was taken twice. */
  readonly marked: Float32Array;
  readonly estimate: Float32Array;
  /** The third newest anchor, after the last compute step. */
  readonly anchor: Float32Array;
  /** After every compute step. */
  readonly grams: readonly Float32Array[];
  readonly pixels: Uint8ClampedArray;
  readonly size: readonly [width: number, height: number];
}

const start = Float32Array.from({ length: GRID.rows * GRID.columns * 64 }, (_, i) =>
  Math.sin(1 + i),
);

/** A run on a backend at its start; the caller disposes of both. */
export async function beginOn(
  backend: Backend,
): Promise<{ run: DenoiseRun; conditioning: Conditioning }> {
  const conditioning = await backend.encodeText(TOKENS);
  return { run: await backend.begin(start, GRID, conditioning), conditioning };
}

/** The run on a backend. */
export async function runOn(backend: Backend): Promise<Followed> {
  const { run, conditioning } = await beginOn(backend);
  const grams: Promise<Float32Array>[] = [];
  try {
    for (const [step, sigma] of SIGMAS.entries()) {
      await run.runTrunk(sigma);
      // Not awaited: what follows must neither wait for it nor change it.
      grams.push(run.gram(olderAt(step)));
      await run.head(sigma);
      await run.step(deltas(step));
    }
    await run.mark();
    await run.forecast(WEIGHTS);
    await run.head(LAST);
    const estimate = await run.estimate(LAST);
    await run.step(deltas(SIGMAS.length));
    await run.rewind();
    const marked = await run.latents();
    await run.step(deltas(SIGMAS.length));
    await run.settle();
    const latents = await run.latents();
    const anchor = await run.anchor(2);
    const { pixels, width, height } = await run.decode();
    return {
      latents,
      marked,
      estimate,
      anchor,
      grams: await Promise.all(grams),
      pixels,
      size: [width, height],
    };
  } finally {
    run.dispose();
    conditioning.dispose();
  }
}

/** The same run by hand, in double precision. */
export function runByHand(): Followed {
  const anchors: number[][] = [];
  const velocities: number[][] = [];
  const grams: Float32Array[] = [];
  let latents = [...start];
  const step = (index: number) =>
    latents.map((x, i) =>
      deltas(index).reduce((sum, delta, j) => sum + delta * velocities[j]![i]!, x),
    );
  for (const [index, sigma] of SIGMAS.entries()) {
    const features = latents.map((value) => {
      const x = 3 * value * sigma;
      return x / (1 + x * x) + FROM_TEXT;
    });
    anchors.unshift(features);
    grams.push(gramByHand(anchors.slice(0, olderAt(index) + 1)));
    velocities.unshift(features.map((feature) => feature * (1 + sigma)));
    latents = step(index);
  }
  const marked = latents;
  const forecast = latents.map((_, i) =>
    WEIGHTS.reduce((sum, weight, j) => sum + weight * anchors[j]![i]!, 0),
  );
  const estimate = latents.map((x, i) => x - LAST * forecast[i]! * (1 + LAST));
  velocities.unshift(forecast.map((feature) => feature * (1 + LAST)));
  latents = step(SIGMAS.length);

  const { rows, columns } = GRID;
  const [width, height] = [4 * columns, 4 * rows];
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const token = Math.floor(y / 4) * columns + Math.floor(x / 4);
      for (let channel = 0; channel < 3; channel++) {
        const value = latents[token * 64 + channel * 16 + (y % 4) * 4 + (x % 4)]!;
        pixels[4 * (y * width + x) + channel] = 255 * (value / 2 + 0.5);
      }
    }
  }
  return {
    latents: Float32Array.from(latents),
    marked: Float32Array.from(marked),
    estimate: Float32Array.from(estimate),
    anchor: Float32Array.from(anchors[2]!),
    grams,
    pixels,
    size: [width, height],
  };
}

/** Upper triangle, row by row, of e₀ = A₀ and eᵢ = Aᵢ₋₁ - Aᵢ, one product at a time. */
export function gramByHand(anchors: readonly ArrayLike<number>[]): Float32Array {
  const e = anchors.map((anchor, i) =>
    Array.from(anchor, (value, n) => (i === 0 ? value : anchors[i - 1]![n]! - value)),
  );
  const products = e.flatMap((left, i) =>
    e.slice(i).map((right) => left.reduce((sum, value, n) => sum + value * right[n]!, 0)),
  );
  return Float32Array.from(products);
}

/** Largest difference over the largest value. */
export function deviation(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = actual.length === expected.length ? 0 : Infinity;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= worst)) worst = difference;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}
