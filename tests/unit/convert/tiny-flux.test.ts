/**
 * A whole FLUX.1-dev, from the checkpoint's files to the picture, against diffusers' FluxPipeline:
 * goldens by training/tiny_flux.py, in float32.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activationBytes } from '../../../src/runtime/memory/activations.ts';
import { partsOf } from '../../../src/runtime/memory/parts.ts';
import type { Bundle } from '../../../src/bundle/bundle.ts';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { PUBLISHED } from '../../../src/forecast/settings.ts';
import { convert, type ConversionOptions } from '../../../src/convert/convert.ts';
import { estimatedBytes } from '../../../src/convert/write/estimate.ts';
import type { ModelParts } from '../../../src/convert/checkpoint/model-parts.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import { openFile } from '../../../src/convert/checkpoint/safetensors.ts';
import { readAll } from '../../../src/convert/checkpoint/tensors.ts';
import { generate } from '../../../src/sampling/generate.ts';
import { Tap } from '../../../cli/bench/tap.ts';
import { deviation } from '../../../cli/lib/deviation.ts';
import { diskFolder } from '../../../src/node/disk-folder.ts';
import { startEngine } from '../../../cli/lib/engine.ts';
import { openBundleFolder } from '../../../src/node/folder-bundle.ts';
import { FolderSource } from '../../../src/node/source-folder.ts';
import { psnr } from '../../../cli/lib/psnr.ts';
import {
  diffusersFiles,
  filesBesideSingle,
  goldenFolder,
  type GoldenPicture,
  goldenPictures,
  singleFiles,
} from '../support/tiny-flux.ts';
import { MemoryBundle } from './memory-bundle.ts';
import { MemoryFiles } from './memory.ts';

/** In milliseconds; for a busy machine. */
const TIMEOUT = 120_000;

let scratch: string;
let model: ModelParts;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tiny-flux-'));
  model = await openModel(new MemoryFiles(Object.fromEntries(diffusersFiles())));
});
afterAll(() => rm(scratch, { recursive: true }));

async function converted(name: string, options: Partial<ConversionOptions> = {}): Promise<Bundle> {
  const folder = diskFolder(join(scratch, name));
  await convert(model, folder, { quantization: 'none', ...options });
  await folder.close();
  return openBundleFolder(join(scratch, name));
}

interface Picture {
  readonly latents: Float32Array;
  readonly pixels: Uint8ClampedArray;
}

/** Every step computed, on the processor. */
async function pictureBy(
  bundle: Bundle,
  asked: GoldenPicture,
  memoryBudget?: number,
): Promise<Picture> {
  const engine = await startEngine(bundle, 'cpu', { memoryBudget });
  try {
    const backend = new Tap(engine.backend);
    const cache = { ...PUBLISHED, basis: 'none' } as const;
    const { pixels } = await generate(
      { ...engine, backend },
      { ...asked, sampler: 'euler', cache, preview: false },
      { settings: () => cache, signal: new AbortController().signal, onEvent: () => undefined },
    );
    return { latents: backend.latents, pixels };
  } finally {
    await engine.backend.dispose();
  }
}

describe('as diffusers saves it', () => {
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await converted('whole');
  }, TIMEOUT);

  test.each(goldenPictures.map((asked, i) => [i, asked] as const))(
    'picture %i has the latents and the pixels of FluxPipeline',
    { timeout: TIMEOUT },
    async (i, asked) => {
      const { latents, pixels } = await pictureBy(bundle, asked);
      const goldens = await openFile(new FolderSource(goldenFolder), 'goldens.safetensors');
      const expected = await readAll(goldens, `${i}.latents`);
      expect(deviation(latents, expected).relativeL2).toBeLessThan(1e-4);
      expect(psnr(pixels, await goldenPixels(i, asked))).toBeGreaterThan(50);
    },
  );

  test('another guidance makes another picture', async () => {
    const [usual, weak] = goldenPictures as [GoldenPicture, GoldenPicture];
    expect(weak).toEqual({ ...usual, guidance: weak.guidance });
    const pictures = [await pictureBy(bundle, usual), await pictureBy(bundle, weak)] as const;
    expect(deviation(pictures[1].latents, pictures[0].latents).relativeL2).toBeGreaterThan(0.01);
    expect(psnr(pictures[1].pixels, pictures[0].pixels)).toBeLessThan(40);
  });

  test('how much quantization saves is known before', async () => {
    const bytes = ({ files }: Manifest): number =>
      Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
    const { manifest } = await converted('mixed', { quantization: 'mixed' });
    const saved = bytes(bundle.manifest) - bytes(manifest);
    const estimated = estimatedBytes(model, 'none') - estimatedBytes(model, 'mixed');
    expect(Math.abs(estimated / saved - 1)).toBeLessThan(0.02);
    expect(estimatedBytes(model, 'mixed')).toBeGreaterThan(bytes(manifest));
    // A storage that has room for the bundle is not to be refused.
    expect(estimatedBytes(model, 'mixed')).toBeLessThan(1.2 * bytes(manifest));
  });

  describe('cut into segments', () => {
    let cut: Bundle;
    let whole: Picture;
    beforeAll(async () => {
      cut = await converted('cut', { segmentBytes: 150_000 });
      whole = await pictureBy(bundle, goldenPictures[0]!);
    }, TIMEOUT);

    test('there are several, and with little memory they are streamed', async () => {
      const engine = await startEngine(cut, 'cpu', { memoryBudget: budgetForOneSegment(cut) });
      const { components } = engine.backend.info.residency;
      await engine.backend.dispose();
      const planned = (name: string) => components.find(({ component }) => component === name);
      expect(planned('trunk')).toMatchObject({ segments: 3, use: 'streamed' });
      expect(planned('t5')).toMatchObject({ segments: 2, use: 'swapped' });
    });

    test.each(['resident', 'streamed'])('the picture is the same, %s', async (use) => {
      const budget = use === 'streamed' ? budgetForOneSegment(cut) : undefined;
      const { latents, pixels } = await pictureBy(cut, goldenPictures[0]!, budget);
      expect(deviation(latents, whole.latents).relativeL2).toBeLessThan(1e-6);
      expect(psnr(pixels, whole.pixels)).toBeGreaterThan(90);
    });
  });
});

test('single files make the same bundle to the byte', async () => {
  const bundle = async (from: ModelParts): Promise<Map<string, Uint8Array>> => {
    const written = new MemoryBundle();
    await convert(from, written.open(), { quantization: 'mixed' });
    return written.files();
  };
  const single = new MemoryFiles(Object.fromEntries([...singleFiles(), ...filesBesideSingle()]));
  const files = await bundle(await openModel(single));
  const expected = await bundle(model);
  expect([...files.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [path, bytes] of files) {
    expect(Buffer.compare(bytes, expected.get(path)!), path).toBe(0);
  }
});

/** Room for the head, the largest segment of the trunk beside it, and what denoising needs. */
function budgetForOneSegment({ manifest }: Bundle): number {
  const bytes = (component: string): number[] =>
    partsOf(manifest, 'float32').flatMap((part) =>
      part.component === component ? [part.bytes] : [],
    );
  const { denoise } = activationBytes(manifest, 'float32');
  return denoise + Math.max(...bytes('head')) + Math.max(...bytes('trunk'));
}

/** As RGBA. */
async function goldenPixels(
  i: number,
  { width, height }: GoldenPicture,
): Promise<Uint8ClampedArray> {
  const png = decode(await readFile(join(goldenFolder, `picture-${i}.png`)));
  expect(png).toMatchObject({ width, height, channels: 3 });
  return Uint8ClampedArray.from({ length: width * height * 4 }, (_, at) =>
    at % 4 === 3 ? 255 : png.data[Math.floor(at / 4) * 3 + (at % 4)]!,
  );
}
