/** How far a bundle's float32 graphs are from PyTorch's golden outputs, on the CPU. */
import { Tensor, type InferenceSession } from 'onnxruntime-web/wasm';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { openSession as openBundleSession } from '../../src/runtime/ort/session.ts';
import { ortQueue } from '../../src/shared/serial.ts';
import type { GraphFiles } from '../../src/bundle/manifest.ts';
import { numbersOf } from '../../src/shared/half.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { ortCpu } from '../../src/node/ort.ts';
import { openGoldens, type GoldenArray, type Goldens } from './goldens.ts';

export interface Deviation {
  /** Between output and reference as vectors; the least of all cases. */
  readonly cosine: number;
  /** Length of the difference over that of the reference; the largest of all cases. */
  readonly relativeL2: number;
}

export type Component = 'clip' | 't5' | 'trunk' | 'head' | 'decoder';
export type Deviations = Record<Component, Deviation>;

/** One run of a component: what goes in, and what should come out. */
export interface Case {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly expected: GoldenArray;
}

export async function measureDeviations(
  bundleFolder: string,
  goldenFolder: string,
): Promise<Deviations> {
  const bundle = await openBundleFolder(bundleFolder);
  const goldens = await openGoldens(goldenFolder);
  const { components } = bundle.manifest;
  const cases = await goldenCases(goldens);
  return {
    clip: await measure(bundle, components.clip.float32, cases.clip),
    t5: await measure(bundle, onlySegment(components.t5.float32), cases.t5),
    trunk: await measure(bundle, onlySegment(components.trunk.float32), cases.trunk),
    head: await measure(bundle, components.head.float32, cases.head),
    decoder: await measure(bundle, components.decoder.float32, cases.decoder),
  };
}

export function onlySegment(segments: readonly GraphFiles[]): GraphFiles {
  const [first, ...later] = segments;
  if (!first || later.length > 0) throw new RangeError('only what is in one segment is measured');
  return first;
}

/** What PyTorch was given, and gave, for every component. */
export async function goldenCases(goldens: Goldens): Promise<Record<Component, Case[]>> {
  return {
    clip: await clipCases(goldens),
    t5: await t5Cases(goldens),
    trunk: await trunkCases(goldens),
    head: await headCases(goldens),
    decoder: await decoderCases(goldens),
  };
}

async function measure(
  bundle: Bundle,
  files: GraphFiles,
  cases: readonly Case[],
): Promise<Deviation> {
  const session = await openSession(bundle, files);
  try {
    const each = [];
    for (const { feeds, expected } of cases) {
      const output = (await session.run(feeds))[session.outputNames[0]!]!;
      each.push(deviation(numbersOf(output.data), expected.data));
    }
    return {
      cosine: Math.min(...each.map(({ cosine }) => cosine)),
      relativeL2: Math.max(...each.map(({ relativeL2 }) => relativeL2)),
    };
  } finally {
    await session.release();
  }
}

/** A graph of the bundle on ONNX Runtime's CPU build. */
export async function openSession(bundle: Bundle, files: GraphFiles): Promise<InferenceSession> {
  const { ort, threads } = await ortCpu();
  ort.env.wasm.numThreads = threads;
  const options = { executionProviders: ['wasm'], logSeverityLevel: 3 } as const;
  return openBundleSession({ bundle, readsBlobs: false }, files, (graph, externalData) =>
    ortQueue.run(() => ort.InferenceSession.create(graph, { ...options, externalData })),
  );
}

export function deviation(actual: Float32Array, expected: Float32Array): Deviation {
  if (actual.length !== expected.length) {
    throw new RangeError(`${actual.length} values cannot be compared with ${expected.length}`);
  }
  let dot = 0;
  let actualNorm = 0;
  let expectedNorm = 0;
  let difference = 0;
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i]!;
    const e = expected[i]!;
    dot += a * e;
    actualNorm += a * a;
    expectedNorm += e * e;
    difference += (a - e) ** 2;
  }
  return {
    cosine: dot / Math.sqrt(actualNorm * expectedNorm),
    relativeL2: Math.sqrt(difference / expectedNorm),
  };
}

function clipCases(goldens: Goldens): Promise<Case[]> {
  return Promise.all(
    goldens.index.texts.map(async ({ clipIds, clipEnd, pooled }) => ({
      feeds: { input_ids: integers(clipIds, [1, clipIds.length]), end: integers([clipEnd], [1]) },
      expected: await goldens.array(pooled),
    })),
  );
}

function t5Cases(goldens: Goldens): Promise<Case[]> {
  return Promise.all(
    goldens.index.texts.map(async ({ t5Ids, text }) => ({
      feeds: { input_ids: integers(t5Ids, [1, t5Ids.length]) },
      expected: await goldens.array(text),
    })),
  );
}

async function trunkCases(goldens: Goldens): Promise<Case[]> {
  return Promise.all(
    goldens.index.trunk.map(async (one) => {
      const text = goldens.index.texts[one.prompt]!;
      return {
        feeds: {
          latents: floats(await goldens.array(one.latents)),
          text: floats(await goldens.array(text.text)),
          pooled: floats(await goldens.array(text.pooled)),
          timestep: scalar(one.sigma),
          ...told(one.guidance),
          rotary_cos: floats(await goldens.array(one.rotaryCos)),
          rotary_sin: floats(await goldens.array(one.rotarySin)),
        },
        expected: await goldens.array(one.features),
      };
    }),
  );
}

function headCases(goldens: Goldens): Promise<Case[]> {
  return Promise.all(
    goldens.index.trunk.map(async ({ sigma, prompt, guidance, features, velocity }) => ({
      feeds: {
        features: floats(await goldens.array(features)),
        pooled: floats(await goldens.array(goldens.index.texts[prompt]!.pooled)),
        timestep: scalar(sigma),
        ...told(guidance),
      },
      expected: await goldens.array(velocity),
    })),
  );
}

function decoderCases(goldens: Goldens): Promise<Case[]> {
  return Promise.all(
    goldens.index.loops.map(async ({ width, height, final, image }) => {
      const { shape, data } = await goldens.array(final);
      const grid = [1, height / 16, width / 16, shape[2]!];
      return {
        feeds: { latents: new Tensor('float32', data, grid) },
        expected: await goldens.array(image),
      };
    }),
  );
}

function floats({ shape, data }: GoldenArray): Tensor {
  return new Tensor('float32', data, shape);
}

/** The input of a model that takes guidance. */
function told(guidance: number | null): { guidance?: Tensor } {
  return guidance === null ? {} : { guidance: scalar(guidance) };
}

function scalar(value: number): Tensor {
  return new Tensor('float32', [value], [1]);
}

function integers(values: readonly number[], shape: readonly number[]): Tensor {
  return new Tensor('int32', Int32Array.from(values), shape);
}
