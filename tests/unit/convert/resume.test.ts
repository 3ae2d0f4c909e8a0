/** A conversion that is stopped anywhere goes on, and comes out the same to the byte. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  convert,
  type ConversionOptions,
  type ConversionProgress,
} from '../../../src/convert/convert.ts';
import { JOURNAL } from '../../../src/convert/write/journal.ts';
import type { ModelParts } from '../../../src/convert/checkpoint/model-parts.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import type { TensorSource } from '../../../src/convert/checkpoint/tensors.ts';
import { diffusersFiles } from '../support/tiny-flux.ts';
import { MemoryBundle } from './memory-bundle.ts';
import { MemoryFiles } from './memory.ts';

const OPTIONS: ConversionOptions = { quantization: 'int4', commitBytes: 20_000 };

let model: ModelParts;
let undisturbed: Map<string, Uint8Array>;

beforeAll(async () => {
  model = await openModel(new MemoryFiles(Object.fromEntries(diffusersFiles())));
  undisturbed = (await converted(new MemoryBundle())).files();
});

async function converted(bundle: MemoryBundle, options = OPTIONS): Promise<MemoryBundle> {
  const folder = bundle.open();
  await convert(model, folder, options);
  await folder.close();
  return bundle;
}

function expectSame(files: Map<string, Uint8Array>): void {
  expect([...files.keys()].sort()).toEqual([...undisturbed.keys()].sort());
  for (const [path, bytes] of files) {
    expect(Buffer.compare(bytes, undisturbed.get(path)!), path).toBe(0);
  }
}

test('ten crashes at random places leave no trace', async () => {
  const bundle = new MemoryBundle();
  const random = fc.sample(fc.integer({ min: 1, max: 500_000 }), { numRuns: 10, seed: 7 });
  let crashes = 0;
  for (const bytes of random) {
    bundle.storage.crashAfter = bytes;
    await converted(bundle).catch(() => crashes++);
    bundle.storage.crash();
  }
  expect(crashes).toBeGreaterThan(5);
  await converted(bundle);
  expectSame(bundle.files());
});

describe('what is there already', () => {
  /** Reads of weights, counted. */
  const counting = (read: { bytes: number }): ModelParts => {
    const counted = (tensors: TensorSource): TensorSource => ({
      where: tensors.where,
      names: () => tensors.names(),
      has: (name) => tensors.has(name),
      shape: (name) => tensors.shape(name),
      storedBytes: (name) => tensors.storedBytes(name),
      rows: async (name, from, to) => {
        const values = await tensors.rows(name, from, to);
        read.bytes += values.byteLength;
        return values;
      },
    });
    return { ...model, transformer: counted(model.transformer) };
  };

  /** Crashed in the middle of the trunk, which comes last. */
  async function stopped(settings: Partial<ConversionOptions> = {}): Promise<MemoryBundle> {
    const bundle = new MemoryBundle();
    const onProgress = ({ readBytes, totalBytes }: ConversionProgress): void => {
      if (readBytes > 0.92 * totalBytes) bundle.storage.crashAfter = 1;
    };
    const options = { ...OPTIONS, ...settings, onProgress };
    await expect(converted(bundle, options)).rejects.toThrow('everything stops');
    bundle.storage.crash();
    return bundle;
  }

  test('is not computed again', async () => {
    const whole = { bytes: 0 };
    await convert(counting(whole), new MemoryBundle().open(), OPTIONS);
    const bundle = await stopped();
    const rest = { bytes: 0 };
    await convert(counting(rest), bundle.open(), OPTIONS);
    expect(rest.bytes).toBeLessThan(0.7 * whole.bytes);
    expect(rest.bytes).toBeGreaterThan(0);
    expectSame(bundle.files());
  });

  test('is made anew if it was changed in the meantime', async () => {
    const bundle = await stopped();
    const trunk = bundle.files().get('trunk.data')!;
    expect(trunk.length).toBeGreaterThan(OPTIONS.commitBytes!);
    trunk[1000]! ^= 1;
    await converted(bundle);
    expectSame(bundle.files());
  });

  test('is made anew if the journal was', async () => {
    const bundle = await stopped();
    const journal = bundle.files().get(JOURNAL)!;
    journal.fill(0x7b, journal.length / 2);
    await converted(bundle);
    expectSame(bundle.files());
  });

  test('does not count for other settings', async () => {
    const bundle = await stopped({ quantization: 'int8' });
    await converted(bundle);
    expectSame(bundle.files());
  });

  test('does not stay if it is of other settings: the data of one that was stopped', async () => {
    const bundle = await stopped({ segmentBytes: 40_000 });
    expect([...bundle.files().keys()]).toContain('trunk.0.data');
    await converted(bundle);
    expect([...bundle.files().keys()]).not.toContain('trunk.0.data');
  });

  test('does not stay if it is of other settings: a whole bundle', async () => {
    const bundle = await converted(new MemoryBundle(), { ...OPTIONS, segmentBytes: 40_000 });
    expect([...bundle.files().keys()]).toContain('trunk.1.float16.onnx');
    await converted(bundle);
    expectSame(bundle.files());
  });

  test('stays if nobody knows what it is', async () => {
    const bundle = new MemoryBundle();
    const folder = bundle.open();
    await folder.append('notes.txt', Uint8Array.of(1));
    await folder.append('manifest.json', new TextEncoder().encode('{"files": {"notes.txt": {}}}'));
    await folder.close();
    await converted(bundle);
    expect(bundle.files().get('notes.txt')).toEqual(Uint8Array.of(1));
  });
});

test('a signal stops it, and it goes on', async () => {
  const bundle = new MemoryBundle();
  const abort = new AbortController();
  const onProgress = ({ readBytes, totalBytes }: ConversionProgress): void => {
    if (readBytes > totalBytes / 2) abort.abort();
  };
  const options = { ...OPTIONS, signal: abort.signal, onProgress };
  await expect(converted(bundle, options)).rejects.toMatchObject({ code: 'cancelled' });
  expect(bundle.files().has('manifest.json')).toBe(false);
  bundle.storage.crash();
  await converted(bundle);
  expectSame(bundle.files());
});
