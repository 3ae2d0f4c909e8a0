/**
 * The graphs against PyTorch: goldens made by training/goldens.py from the same folder. Set
 * POCKET_FOLDER and POCKET_GOLDENS to test with another model.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import { convert } from '../../../src/onnx/convert.ts';
import { openModel } from '../../../src/onnx/open-model.ts';
import type { Quantization } from '../../../src/onnx/policy.ts';
import {
  deviation,
  goldenCases,
  measureDeviations,
  onlySegment,
  type Component,
  type Deviations,
} from '../../../tools/deviation.ts';
import { openBundleFolder } from '../../../tools/folder-bundle.ts';
import { diskFolder } from '../../../tools/disk-folder.ts';
import { FolderSource } from '../../../tools/folder.ts';
import { openGoldens, type Goldens } from '../../../tools/goldens.ts';
import { runGraph, sample } from './run.ts';

const folder = process.env['POCKET_FOLDER'] ?? 'training/pocket';
const goldenFolder = process.env['POCKET_GOLDENS'] ?? 'tests/golden/pocket';
/** In milliseconds; a conversion takes seconds, on a busy machine longer. */
const CONVERSION_TIMEOUT = 120_000;
const COMPONENTS: readonly Component[] = ['clip', 't5', 'trunk', 'head', 'decoder'];

let scratch: string;
let goldens: Goldens;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'convert-'));
  goldens = await openGoldens(goldenFolder);
});

afterAll(() => rm(scratch, { recursive: true }));

async function converted(quantization: Quantization): Promise<string> {
  const out = join(scratch, quantization);
  const sink = diskFolder(out);
  await convert(await openModel(new FolderSource(folder)), sink, { quantization });
  await sink.close();
  return out;
}

describe('unquantized', () => {
  let bundle: Bundle;
  let deviations: Deviations;

  beforeAll(async () => {
    const out = await converted('none');
    bundle = await openBundleFolder(out);
    deviations = await measureDeviations(out, goldenFolder);
  }, CONVERSION_TIMEOUT);

  test.each(COMPONENTS)('%s computes what PyTorch computes', (component) => {
    expect(deviations[component].relativeL2).toBeLessThan(1e-4);
  });

  test('sampling by Euler steps ends at the latents and the picture of FluxPipeline', async () => {
    const loop = goldens.index.loops.find(({ steps }) => steps < 50)!;
    const { latents, image } = await sample(bundle, goldens, loop);
    expect(deviation(latents, (await goldens.array(loop.final)).data).relativeL2).toBeLessThan(
      1e-3,
    );
    expect(psnr(image, (await goldens.array(loop.image)).data)).toBeGreaterThan(60);
  });
});

describe('quantized', () => {
  let bundle: Bundle;
  let deviations: Deviations;

  beforeAll(async () => {
    const out = await converted('mixed');
    bundle = await openBundleFolder(out);
    deviations = await measureDeviations(out, goldenFolder);
  }, CONVERSION_TIMEOUT);

  test.each<[Component, number]>([
    ['clip', 0.999],
    ['t5', 0.999],
    ['trunk', 0.995],
    ['head', 0.9999],
    ['decoder', 0.9999],
  ])('%s keeps a cosine above %d', (component, least) => {
    expect(deviations[component].cosine).toBeGreaterThan(least);
  });

  test.each(COMPONENTS)('the float16 graph of %s computes the same', async (component) => {
    const { components } = bundle.manifest;
    const graphIn = (precision: 'float32' | 'float16') =>
      component === 'trunk' || component === 't5'
        ? onlySegment(components[component][precision])
        : components[component][precision];
    expect(graphIn('float16').data).toEqual(graphIn('float32').data);
    const { feeds } = (await goldenCases(goldens))[component][0]!;
    const expected = await runGraph(bundle, graphIn('float32'), feeds);
    const actual = await runGraph(bundle, graphIn('float16'), feeds);
    expect(deviation(actual, expected).cosine).toBeGreaterThan(0.9995);
  });
});

/** In dB, of values in -1..1. */
function psnr(actual: Float32Array, expected: Float32Array): number {
  const errors = actual.map((value, i) => ((value - expected[i]!) / 2) ** 2);
  return -10 * Math.log10(errors.reduce((sum, error) => sum + error, 0) / errors.length);
}
