/** Imports from everywhere into a storage that gets full: the same is said, and nothing is lost. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ModelStore, openStore } from '../../../src/bundle/store/store.ts';
import { cpuQuantizer } from '../../../src/convert/quantize/quantizer.ts';
import { importModel } from '../../../src/workers/library/import.ts';
import type { ImportProgress, ImportSource } from '../../../src/workers/library/api.ts';
import { give, refuse, serve, type TestServer } from '../convert/sources/server.ts';
import { testBundleFiles } from '../support/bundle-folder.ts';
import { MemoryLocks } from '../support/locks.ts';
import { type MemoryFile, MemoryFolder, MemoryStorage } from '../support/opfs.ts';
import { MemoryRecords } from '../support/records.ts';
import { diffusersFiles } from '../support/tiny-flux.ts';

const CHECKPOINT = diffusersFiles();
const BUNDLE = testBundleFiles().files;

let server: TestServer;
beforeAll(async () => {
  const entries = [...CHECKPOINT].map(([path, { length }]) => ({
    type: 'file',
    size: length,
    path,
  }));
  server = await serve((request, response, path) => {
    const [, place, file = ''] =
      /^\/(checkpoint|bundle|org\/flux\/resolve\/main)\/(.+)$/.exec(path) ?? [];
    if (path.startsWith('/api/')) response.end(JSON.stringify(entries));
    else if (place === undefined) refuse(response, 404);
    else give(request, response, (place === 'bundle' ? BUNDLE : CHECKPOINT).get(file));
  });
  const { fetch } = globalThis;
  vi.stubGlobal('fetch', (asked: string | URL | Request, init?: RequestInit) =>
    fetch(String(asked).replace('https://huggingface.co', server.url), init),
  );
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await server.close();
});

let storage: MemoryStorage;
let store: ModelStore;
beforeEach(async () => {
  storage = new MemoryStorage();
  store = await openStore(storage.root, new MemoryRecords(), {
    locks: new MemoryLocks().locks,
    storage,
  });
});
afterEach(() => expect(storage.openHandles.size).toBe(0));

const SOURCES: Readonly<Record<string, () => ImportSource>> = {
  'files that were picked': () => ({
    kind: 'files',
    files: [...CHECKPOINT].map(([path, bytes]) => new File([bytes as BlobPart], `tiny/${path}`)),
  }),
  'the address of a checkpoint': () => ({ kind: 'address', address: `${server.url}/checkpoint/` }),
  'a name on the Hub': () => ({ kind: 'address', address: 'org/flux' }),
  'the address of a bundle': () => ({ kind: 'address', address: `${server.url}/bundle/` }),
};

async function imported(
  source: ImportSource,
  onProgress: (progress: ImportProgress) => void = () => undefined,
): Promise<void> {
  await importModel(
    store,
    { source, quantization: 'int4', loras: [] },
    {
      signal: new AbortController().signal,
      onProgress,
      quantizer: () => Promise.resolve(cpuQuantizer()),
    },
  );
}

/** All files of all models, by path. */
function stored(): Map<string, Buffer> {
  return new Map(filesIn(storage.root, ''));
}

function* filesIn(folder: MemoryFolder, prefix: string): Generator<[string, Buffer]> {
  for (const [name, item] of folder.items) {
    if (item instanceof MemoryFolder) yield* filesIn(item, `${prefix}${name}/`);
    else yield [prefix + name, Buffer.from((item as MemoryFile).content)];
  }
}

describe.each(Object.entries(SOURCES))('%s', (_, source) => {
  test('that cannot fit: what fits is said before anything is written, and it goes on', async () => {
    await imported(source());
    const { id } = (await store.list())[0]!;
    const quota = Math.floor(storage.used / 2);
    await store.remove(id);
    storage.quota = quota;
    const failure = await imported(source()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'out-of-storage' });
    const [, figure, unit] =
      /^There is no room for [\d.]+ [kM]B more of the model: ([\d.]+) ([kM])B are free\.$/.exec(
        (failure as Error).message,
      )!;
    const free = Number(figure) * (unit === 'k' ? 1e3 : 1e6);
    expect(free).toBeLessThan(quota + 1000);
    expect(free).toBeGreaterThan(0.9 * quota - 5000);
    expect(await store.list()).toMatchObject([{ id, state: 'partial' }]);
    storage.quota = 2 ** 30;
    await imported(source());
    expect(await store.list()).toMatchObject([{ id, state: 'complete' }]);
  });

  test('in the middle of which the storage gets full: the rest comes later, to the byte', async () => {
    await imported(source());
    const { id } = (await store.list())[0]!;
    const whole = stored();
    const most = storage.used;
    const quotas = fc.sample(fc.integer({ min: 1000, max: most - 1000 }), { numRuns: 3, seed: 3 });
    await store.remove(id);
    for (const quota of quotas.sort((a, b) => a - b)) {
      // Once it runs, others take what is free.
      const failure = await imported(source(), ({ totalBytes }) => {
        if (totalBytes > 0) storage.quota = Math.min(storage.quota, Math.max(quota, storage.used));
      }).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'out-of-storage',
        message: expect.stringMatching(
          /^There is no room (for .* more of|to write) (\S+|the model: .* are free)\.$/,
        ) as string,
      });
      expect(storage.used).toBeLessThanOrEqual(storage.quota);
      storage.quota = 2 ** 30;
    }
    await imported(source());
    expect(await store.verify(id)).toEqual([]);
    expect(stored()).toEqual(whole);
  });
});
