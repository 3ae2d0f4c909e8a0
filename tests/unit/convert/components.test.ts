/**
 * The graphs against PyTorch: goldens made by training/goldens.py from the same folder. Set
 * POCKET_FOLDER and POCKET_GOLDENS to test with another model.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pictureOf } from '../../../src/runtime/image.ts';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import { convert } from '../../../src/convert/convert.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import type { Quantization } from '../../../src/convert/quantize/precision-policy.ts';
import {
  deviation,
  goldenCases,
  measureDeviations,
  onlySegment,
  type Component,
  type Deviations,
} from '../../../cli/lib/deviation.ts';
import { openBundleFolder } from '../../../src/node/folder-bundle.ts';
import { diskFolder } from '../../../src/node/disk-folder.ts';
import { FolderSource } from '../../../src/node/source-folder.ts';
import { type GoldenIndex, openGoldens, type Goldens } from '../../../cli/lib/goldens.ts';
import { psnr } from '../../../cli/lib/psnr.ts';
import { withAlpha } from '../support/pixels.ts';
import { runGraph, sample } from './run.ts';

const folder = process.env['POCKET_FOLDER'] ?? 'training/pocket';
const goldenFolder = process.env['POCKET_GOLDENS'] ?? 'tests/golden/pocket';
/** In milliseconds; a conversion takes seconds, as does a picture, on a busy machine longer. */
const PATIENCE = 120_000;
const COMPONENTS: readonly Component[] = ['clip', 't5', 'trunk', 'head', 'decoder'];

const { loops } = JSON.parse(
  readFileSync(join(goldenFolder, 'goldens.json'), 'utf8'),
) as GoldenIndex;

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
  }, PATIENCE);

  test.each(COMPONENTS)('%s computes what PyTorch computes', (component) => {
    expect(deviations[component].relativeL2).toBeLessThan(1e-4);
  });

  // One is a whole picture by the model's defaults; sizes, steps and guidance differ.
  test.each(loops)(
    '$steps steps at $width x $height end at the latents and the picture of FluxPipeline',
    async (loop) => {
      const { width, height } = loop;
      const { latents, image } = await sample(bundle, goldens, loop);
      const { data } = await goldens.array(loop.final);
      expect(deviation(latents, data).relativeL2).toBeLessThan(1e-3);
      const theirs = decode(readFileSync(join(goldenFolder, loop.picture)));
      const ours = pictureOf(image, width, height, 'cpu').pixels;
      expect([theirs.width, theirs.height]).toEqual([width, height]);
      expect(psnr(ours, withAlpha(theirs.data))).toBeGreaterThan(50);
    },
    PATIENCE,
  );
});

describe('quantized', () => {
  let bundle: Bundle;
  let deviations: Deviations;

  beforeAll(async () => {
    const out = await converted('mixed');
    bundle = await openBundleFolder(out);
    deviations = await measureDeviations(out, goldenFolder);
  }, PATIENCE);

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
