import type {
  Backend,
  Conditioning,
  DenoiseRun,
  RunOptions,
} from '../../../src/runtime/backend.ts';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import type { Precision } from '../../../src/convert/graphs/builder.ts';
import { testManifest } from '../support/manifest.ts';
import {
  clipGraph,
  decoderGraph,
  type FormulaOptions,
  headGraph,
  t5Graphs,
  trunkGraphs,
} from './formula-graphs.ts';

/** How bright the preview decoder's pictures are beside the decoder's. */
export const PREVIEW_BRIGHTNESS = 0.5;

/**
 * A bundle whose graphs are formulas, so that a run on a real ONNX Runtime can be followed by
 * hand. All widths are 64; its trunk has two segments unless another number is asked for.
 *
 *     text_i   = id_i                  (every channel)
 *     pooled   = id at `end`           (every channel)
 *     stream   = x / (1 + x * x), where x = 3 * latents * sigma
 *     features = stream + mean(text) / 10 + pooled / 100 + guidance / 50
 *     velocity = features * (1 + sigma + guidance / 100)
 *     image    = the first 3 of 4 channels, each token a block of 4 x 4 pixels
 */
export function formulaBundle(
  options: Partial<FormulaOptions> & { readonly previewer?: boolean } = {},
): Bundle {
  const how = { segments: 2, textSegments: 1, guidance: false, ...options } as const;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const add = (path: string, bytes: Uint8Array<ArrayBuffer>) => {
    files.set(path, bytes);
    return { graph: path, data: [] };
  };
  const both = (make: (precision: Precision) => Uint8Array<ArrayBuffer>, name: string) => ({
    float32: add(`${name}.float32.onnx`, make('float32')),
    float16: add(`${name}.float16.onnx`, make('float16')),
  });
  const pieces = (make: (precision: Precision) => Uint8Array<ArrayBuffer>[], name: string) => {
    const list = (precision: Precision) =>
      make(precision).map((bytes, i) => add(`${name}/${i}.${precision}.onnx`, bytes));
    return { float32: list('float32'), float16: list('float16') };
  };
  const components: Manifest['components'] = {
    t5: pieces((precision) => t5Graphs(precision, how), 't5'),
    clip: both(clipGraph, 'clip'),
    trunk: pieces((precision) => trunkGraphs(precision, how), 'trunk'),
    head: both((precision) => headGraph(precision, how), 'head'),
    decoder: both((precision) => decoderGraph(precision, 1), 'decoder'),
    ...(options.previewer && {
      previewer: both((precision) => decoderGraph(precision, PREVIEW_BRIGHTNESS), 'previewer'),
    }),
  };
  const entries = [...files].map(([path, { length: bytes }]) => [
    path,
    { bytes, sha256: '0'.repeat(64) },
  ]);
  const manifest = testManifest(Object.fromEntries(entries) as Manifest['files']);
  const read = (path: string) => {
    const bytes = files.get(path);
    return bytes ? Promise.resolve(bytes.slice()) : Promise.reject(new Error(`no ${path}`));
  };
  const widths = { hidden: 64, textWidth: 64, pooledWidth: 64, guidance: how.guidance };
  return {
    manifest: {
      ...manifest,
      transformer: { ...manifest.transformer, ...widths },
      components,
    },
    read,
    blob: async (path) => new Blob([await read(path)]),
  };
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
  /** The estimate by the preview decoder, where there is one. */
  readonly preview: Uint8ClampedArray | undefined;
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
  options: RunOptions = {},
): Promise<{ run: DenoiseRun; conditioning: Conditioning }> {
  const conditioning = await backend.encodeText(TOKENS, options.onLoading);
  return { run: await backend.begin(start, GRID, conditioning, options), conditioning };
}

/** The run on a backend. */
export async function runOn(backend: Backend, options: RunOptions = {}): Promise<Followed> {
  const { run, conditioning } = await beginOn(backend, options);
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
    const preview = await run.preview(LAST);
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
      preview: preview?.pixels,
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
export function runByHand(guidance = 0): Followed {
  const velocityOf = (feature: number, sigma: number) => feature * (1 + sigma + 0.01 * guidance);
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
      return x / (1 + x * x) + FROM_TEXT + 0.02 * guidance;
    });
    anchors.unshift(features);
    grams.push(gramByHand(anchors.slice(0, olderAt(index) + 1)));
    velocities.unshift(features.map((feature) => velocityOf(feature, sigma)));
    latents = step(index);
  }
  const marked = latents;
  const forecast = latents.map((_, i) =>
    WEIGHTS.reduce((sum, weight, j) => sum + weight * anchors[j]![i]!, 0),
  );
  const estimate = latents.map((x, i) => x - LAST * velocityOf(forecast[i]!, LAST));
  velocities.unshift(forecast.map((feature) => velocityOf(feature, LAST)));
  latents = step(SIGMAS.length);

  return {
    latents: Float32Array.from(latents),
    marked: Float32Array.from(marked),
    estimate: Float32Array.from(estimate),
    preview: paint(estimate, PREVIEW_BRIGHTNESS),
    anchor: Float32Array.from(anchors[2]!),
    grams,
    pixels: paint(latents, 1),
    size: [WIDTH, HEIGHT],
  };
}

const [WIDTH, HEIGHT] = [4 * GRID.columns, 4 * GRID.rows];

function paint(latents: readonly number[], brightness: number): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(4 * WIDTH * HEIGHT).fill(255);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const token = Math.floor(y / 4) * GRID.columns + Math.floor(x / 4);
      for (let channel = 0; channel < 3; channel++) {
        const value = brightness * latents[token * 64 + channel * 16 + (y % 4) * 4 + (x % 4)]!;
        pixels[4 * (y * WIDTH + x) + channel] = 255 * (value / 2 + 0.5);
      }
    }
  }
  return pixels;
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

/** Largest difference over the largest value; NaN if one is. */
export function deviation(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = actual.length === expected.length ? 0 : Infinity;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    worst = Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}
