import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { downloadBundle } from '../../../src/bundle/download/download.ts';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { type ModelDraft, type ModelStore, openStore } from '../../../src/bundle/store/store.ts';
import { modelId } from '../../../src/bundle/store/ids.ts';
import type { ModelRecord } from '../../../src/bundle/store/records.ts';
import type { Storage } from '../../../src/bundle/store/room.ts';
import { type BundleServer, serveBundle } from '../support/bundle-server.ts';
import { testBundleFiles, type TestFiles } from '../support/bundle-folder.ts';
import { MemoryLocks } from '../support/locks.ts';
import { MemoryRecords } from '../support/records.ts';
import {
  MemoryAccess,
  type MemoryFile,
  type MemoryFolder,
  MemoryStorage,
} from '../support/opfs.ts';

const DRAFT: ModelDraft = {
  title: 'A model',
  licence: '',
  source: 'https://models.example/flux/schnell/',
  settings: { quantization: 'mixed' },
};

let storage: MemoryStorage;
let records: MemoryRecords;
let locks: MemoryLocks;
let made: TestFiles;
beforeEach(() => {
  storage = new MemoryStorage();
  records = new MemoryRecords();
  locks = new MemoryLocks();
  made = testBundleFiles();
});

/** As a new tab, or one that was reloaded, does it. */
const open = (): Promise<ModelStore> =>
  openStore(storage.root, records, { locks: locks.locks, storage, patience: 20 });

const modelsFolder = (): MemoryFolder => storage.root.items.get('models') as MemoryFolder;
const fileOf = (id: string, path: string): MemoryFile =>
  (modelsFolder().items.get(id) as MemoryFolder).items.get(path) as MemoryFile;
const total = ({ files }: Manifest): number =>
  Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);

/** Writes the test bundle as a conversion does, up to so many files. */
async function write(store: ModelStore, draft = DRAFT, files = Infinity): Promise<string> {
  const { id, folder } = await store.begin(draft);
  const paths = Object.keys(made.manifest.files);
  for (const path of paths.slice(0, files)) {
    await folder.truncate(path, 0);
    await folder.append(path, made.files.get(path)!);
  }
  if (files >= paths.length) {
    await folder.append('manifest.json', made.files.get('manifest.json')!);
  }
  await folder.close();
  return id;
}

async function writeWhole(store: ModelStore, draft = DRAFT): Promise<string> {
  const id = await write(store, draft);
  await store.finish(id);
  return id;
}

describe('a stored model', () => {
  test('is what was written', async () => {
    const store = await open();
    const id = await writeWhole(store);
    const bundle = await store.open(id);
    expect(bundle.manifest).toEqual(made.manifest);
    for (const path of Object.keys(made.manifest.files)) {
      expect(await bundle.read(path)).toEqual(made.files.get(path));
      const blob = await bundle.blob(path);
      expect(blob).toBeInstanceOf(File);
      expect(new Uint8Array(await blob.arrayBuffer())).toEqual(made.files.get(path));
    }
    await expect(bundle.read('manifest.json')).rejects.toMatchObject({ code: 'bad-bundle' });
    await expect(bundle.blob('../other/file')).rejects.toMatchObject({ code: 'bad-bundle' });
  });

  test('is listed with what its manifest says, in another tab too', async () => {
    const id = await writeWhole(await open());
    const [record, ...more] = await (await open()).list();
    expect(more).toEqual([]);
    expect(record).toEqual({
      id,
      title: made.manifest.title,
      licence: made.manifest.licence,
      source: DRAFT.source,
      bytes: total(made.manifest),
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      state: 'complete',
      settings: DRAFT.settings,
    });
  });

  test('that is partial says so, and how much there is', async () => {
    const store = await open();
    const id = await write(store, DRAFT, 2);
    const [first, second] = Object.values(made.manifest.files);
    expect(await store.list()).toMatchObject([
      { id, title: 'A model', state: 'partial', bytes: first!.bytes + second!.bytes },
    ]);
    for (const work of [() => store.open(id), () => store.finish(id), () => store.verify(id)]) {
      await expect(work()).rejects.toMatchObject({
        code: 'bad-bundle',
        message: 'The model A model is not complete.',
      });
    }
    await writeWhole(store);
    expect(await store.list()).toMatchObject([{ id, state: 'complete' }]);
  });

  test('is gone on with where it was left', async () => {
    const store = await open();
    await write(store, DRAFT, 1);
    const path = Object.keys(made.manifest.files)[0]!;
    const { folder } = await (await open()).begin(DRAFT);
    expect(await folder.size(path)).toBe(made.manifest.files[path]!.bytes);
    await folder.close();
  });

  test('that another tab removed or never was', async () => {
    const store = await open();
    const id = await writeWhole(store);
    const bundle = await store.open(id);
    await (await open()).remove(id);
    await expect(store.open(id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(bundle.read('head.data')).rejects.toMatchObject({ code: 'not-found' });
    await expect(bundle.blob('head.data')).rejects.toMatchObject({ code: 'not-found' });
    await store.remove(id);
    await expect(store.open('../models')).rejects.toMatchObject({ code: 'not-found' });
    expect(storage.used).toBe(0);
    expect(records.known.size).toBe(0);
  });

  test('of which a file is cut short is not opened', async () => {
    const store = await open();
    const id = await writeWhole(store);
    const file = fileOf(id, 'head.data');
    file.content = file.content.subarray(0, 10);
    await expect(store.open(id)).rejects.toMatchObject({
      code: 'bad-bundle',
      message: expect.stringMatching(/head\.data is cut short: .* 10 bytes/) as string,
    });
  });

  test('is verified on demand: every byte counts', async () => {
    const store = await open();
    const id = await writeWhole(store);
    let loaded = 0;
    expect(await store.verify(id, ({ loadedBytes }) => (loaded = loadedBytes))).toEqual([]);
    expect(loaded).toBe(total(made.manifest));
    fileOf(id, 'head.data').content[500]! ^= 1;
    await store.open(id); // which looks at sizes only
    expect(await store.verify(id)).toEqual(['head.data']);
  });
});

describe('ids', () => {
  test('are of the source and the settings, and are names', async () => {
    const id = await modelId(DRAFT.source, DRAFT.settings);
    expect(id).toMatch(/^schnell-[0-9a-f]{16}$/);
    expect(await modelId(DRAFT.source, { ...DRAFT.settings })).toBe(id);
    expect(await modelId(DRAFT.source.slice(0, -1), DRAFT.settings)).toBe(id);
    expect(await modelId('a', { x: 1, y: 2 })).toBe(await modelId('a', { y: 2, x: 1 }));
    const others = [
      modelId(DRAFT.source, {}),
      modelId(`${DRAFT.source}x`, DRAFT.settings),
      modelId('../../..', {}),
      modelId('', {}),
      modelId('C:\\Models\\Größe.safetensors', {}),
      modelId('x'.repeat(1000), {}),
    ];
    for (const other of await Promise.all(others)) {
      expect(other).not.toBe(id);
      expect(other).toMatch(/^[a-z0-9-]{16,60}$/);
    }
  });
});

describe('two tabs', () => {
  test('do not write one model at once', async () => {
    const [mine, theirs] = [await open(), await open()];
    const { id, folder } = await theirs.begin(DRAFT);
    await folder.append('a', new Uint8Array(1));
    for (const work of [() => mine.begin(DRAFT), () => mine.remove(id)]) {
      await expect(work()).rejects.toMatchObject({
        code: 'busy',
        message: 'A model is in use by another tab of this page.',
      });
    }
    const other = await mine.begin({ ...DRAFT, source: 'another' });
    await other.folder.close();
    await folder.close();
    await folder.close();
    await mine.remove(id);
    expect((await mine.list()).map(({ source }) => source)).toEqual(['another']);
  });

  test('a tab that was just reloaded waits for what it was to end', async () => {
    const store = await openStore(storage.root, records, {
      locks: locks.locks,
      storage,
      patience: 5000,
    });
    const { folder } = await store.begin(DRAFT);
    setTimeout(() => void folder.close(), 50);
    const again = await store.begin(DRAFT);
    await again.folder.close();
  });

  test('a failure to begin lets go of the model', async () => {
    const store = await open();
    records.set = () => Promise.reject(new Error('no records'));
    await expect(store.begin(DRAFT)).rejects.toThrow('no records');
    expect(locks.has(`hicache-model/${await modelId(DRAFT.source, DRAFT.settings)}`)).toBe(false);
  });
});

describe('after a crash', () => {
  test('between record and folder, the record goes', async () => {
    const store = await open();
    const id = await write(store, DRAFT, 1);
    modelsFolder().items.delete(id);
    expect(await (await open()).list()).toEqual([]);
    expect(records.known.size).toBe(0);
  });

  test('a complete model whose record is lost gets it from its manifest', async () => {
    const id = await writeWhole(await open());
    records.known.clear();
    const store = await open();
    expect(await store.list()).toMatchObject([
      { id, title: made.manifest.title, state: 'complete', bytes: total(made.manifest) },
    ]);
    expect((await store.open(id)).manifest).toEqual(made.manifest);
  });

  test('a partial one can at least be seen and removed', async () => {
    const id = await write(await open(), DRAFT, 2);
    records.known.clear();
    const store = await open();
    expect(await store.list()).toMatchObject([{ id, title: id, state: 'partial' }]);
    await store.remove(id);
    expect(storage.used).toBe(0);
  });

  test('after the manifest, before the record: the model is complete', async () => {
    const id = await writeWhole(await open());
    await records.set({ ...(records.known.get(id) as ModelRecord), state: 'partial' });
    expect(await (await open()).list()).toMatchObject([{ id, state: 'complete' }]);
  });

  test('that lost bytes of a file: the model is partial', async () => {
    const store = await open();
    const id = await writeWhole(store);
    fileOf(id, 'head.data').content = new Uint8Array(3);
    expect(await (await open()).list()).toMatchObject([{ id, state: 'partial' }]);
  });

  test('while it was removed: it can be removed again', async () => {
    const id = await writeWhole(await open());
    const removeEntry = modelsFolder().removeEntry.bind(modelsFolder());
    modelsFolder().removeEntry = () => Promise.reject(new Error('everything stops'));
    await expect((await open()).remove(id)).rejects.toThrow('everything stops');
    modelsFolder().removeEntry = removeEntry;
    const store = await open();
    expect(await store.list()).toMatchObject([{ id, state: 'partial' }]);
    await store.remove(id);
    expect([storage.used, records.known.size]).toEqual([0, 0]);
  });

  test('records of another version of the page, and files that are no models', async () => {
    await open();
    records.known.set('x', { id: 'x', name: 'from the future' });
    records.known.set('y', 'nonsense');
    await modelsFolder().getFileHandle('stray', { create: true });
    await modelsFolder().getDirectoryHandle('Not A Model', { create: true });
    expect(await (await open()).list()).toEqual([]);
  });
});

describe('what the page uses', () => {
  test('in figures', async () => {
    const store = await open();
    await writeWhole(store);
    expect(await store.space()).toEqual({ used: storage.used, persisted: false });
    storage.persistent = true;
    expect(await store.space()).toEqual({ used: storage.used, persisted: true });
  });

  test.each<[string, Storage | undefined]>([
    ['says nothing of storage', undefined],
    ['has none of it', {}],
    ['says nothing in particular', { estimate: () => Promise.resolve({}) }],
    [
      'refuses to say',
      {
        estimate: () => Promise.reject(new Error('no')),
        persisted: () => Promise.reject(new Error()),
      },
    ],
    [
      'fails at once',
      {
        estimate() {
          throw new TypeError('not here');
        },
      },
    ],
  ])('is not known where the browser %s, and models are kept all the same', async (_, given) => {
    const store = await openStore(storage.root, records, { locks: locks.locks, storage: given });
    const { folder, reserve } = await store.begin(DRAFT);
    await reserve(1000);
    await folder.append('a', new Uint8Array(1000));
    await folder.close();
    expect(await store.space()).toEqual({ used: null, persisted: false });
  });
});

describe('room', () => {
  const reserved = (): MemoryFile[] => {
    const folder = storage.root.items.get('reserved') as MemoryFolder | undefined;
    return [...(folder?.items.values() ?? [])] as MemoryFile[];
  };

  test('is what can be stored, whatever the browser estimates', async () => {
    // As a disk of 200 GB to Chrome's 10 GiB.
    storage.estimate = () =>
      Promise.resolve({ usage: storage.used, quota: storage.used + 100_000 });
    const { folder, reserve } = await (await open()).begin(DRAFT);
    await reserve(900_000);
    await folder.append('large.data', new Uint8Array(900_000));
    await folder.close();
    expect(storage.used).toBe(900_000);
  });

  test.each(['throws', 'gives a code'] as const)(
    'that is not there is found out before anything is written: it %s',
    async (whenFull) => {
      storage.quota = 2_000_000;
      storage.whenFull = whenFull;
      const { id, folder, reserve } = await (await open()).begin(DRAFT);
      const failed = await reserve(7_200_000_000).catch((error: unknown) => error);
      expect(failed).toMatchObject({
        code: 'out-of-storage',
        message: expect.stringMatching(
          /^There is no room for 7\.20 GB more of the model: (1\.9|2\.0) MB are free\.$/,
        ) as string,
        hint: expect.stringContaining('Delete a model') as string,
      });
      await folder.close();
      expect(storage.used).toBe(0);
      expect(await (await open()).list()).toMatchObject([{ id, state: 'partial', bytes: 0 }]);
    },
  );

  test('that is set aside nobody else takes, and it becomes less as the model grows', async () => {
    storage.quota = 1_000_000;
    const [mine, theirs] = [await open(), await open()];
    const { folder, reserve } = await mine.begin(DRAFT);
    await folder.append('before.data', new Uint8Array(100_000));
    await reserve(800_000);
    const other = await theirs.begin({ ...DRAFT, source: 'another' });
    await expect(other.reserve(200_000)).rejects.toMatchObject({
      code: 'out-of-storage',
      message: expect.stringMatching(/ 200 kB more .*: \d+ kB are free/) as string,
    });
    await other.folder.close();
    for (let i = 0; i < 8; i++) await folder.append(`${i}.data`, new Uint8Array(100_000));
    await folder.close();
    expect(storage.used).toBe(900_000);
    expect(reserved()).toEqual([]);
  });

  test('is no part of a model', async () => {
    const store = await open();
    const { id, folder, reserve } = await store.begin(DRAFT);
    await folder.append('a', new Uint8Array(1000));
    await reserve(500_000);
    expect(reserved().map((file) => file.bytes())).toEqual([500_000]);
    expect(await store.list()).toMatchObject([{ id, bytes: 1000 }]);
    expect([...(modelsFolder().items.get(id) as MemoryFolder).items.keys()]).toEqual(['a']);
    await folder.close();
    expect(reserved()).toEqual([]);
  });

  test('of a tab that is gone is free again when the store is opened', async () => {
    const { folder, reserve } = await (await open()).begin(DRAFT);
    await reserve(500_000);
    // Another tab opens the store meanwhile: it is still needed.
    await open();
    expect(reserved().map((file) => file.bytes())).toEqual([500_000]);
    reserved()[0]!.flush();
    await folder.flush();
    storage.crash();
    expect(storage.used).toBe(500_000);
    await open();
    expect(storage.used).toBe(0);
  });

  test('is given back when the import fails, and asked for again the next time', async () => {
    const store = await open();
    const first = await store.begin(DRAFT);
    await first.reserve(500_000);
    await first.reserve(600_000);
    await first.folder.close();
    expect(storage.used).toBe(0);
    const again = await store.begin(DRAFT);
    await again.reserve(700_000);
    expect(reserved().map((file) => file.bytes())).toEqual([700_000]);
    await again.folder.close();
  });

  test('nothing more is needed: nothing is set aside', async () => {
    storage.quota = 0;
    const store = await open();
    storage.quota = 1;
    const { folder, reserve } = await store.begin(DRAFT);
    for (const bytes of [0, -5_000_000]) await reserve(bytes);
    expect(reserved()).toEqual([]);
    await folder.close();
  });

  test('cannot be set aside in every browser: then writing decides', async () => {
    const { id, folder, reserve } = await (await open()).begin(DRAFT);
    const make = MemoryAccess.prototype.truncate;
    MemoryAccess.prototype.truncate = () => {
      throw new DOMException('Safari did this', 'UnknownError');
    };
    try {
      await reserve(1000);
    } finally {
      MemoryAccess.prototype.truncate = make;
    }
    await folder.append('a', new Uint8Array(1000));
    await folder.close();
    expect(await (await open()).list()).toMatchObject([{ id, bytes: 1000 }]);
    expect(reserved()).toEqual([]);
  });
});

describe('a storage that is full', () => {
  /** IndexedDB's failure, as Chromium reports it: no fields, and no message. */
  class QuotaExceededError extends DOMException {
    readonly quota = null;
    readonly requested = null;
    constructor() {
      super('', 'QuotaExceededError');
    }
  }
  const fill = (): void => {
    storage.quota = storage.used - 1;
    records.set = () => Promise.reject(new QuotaExceededError());
  };

  test('opens, lists and uses what is there, and begins nothing', async () => {
    const id = await writeWhole(await open());
    fill();
    const store = await open();
    expect(await store.list()).toMatchObject([{ id, state: 'complete' }]);
    expect((await store.open(id)).manifest).toEqual(made.manifest);
    expect(await store.verify(id)).toEqual([]);
    await expect(store.begin({ ...DRAFT, title: 'Another', source: 'x' })).rejects.toMatchObject({
      code: 'out-of-storage',
      message: 'There is no room to write Another.',
    });
    expect(await store.list()).toHaveLength(1);
  });

  test('can be made less full: models are removed', async () => {
    const [id] = [await writeWhole(await open())];
    fill();
    const store = await open();
    await store.remove(id);
    expect([storage.used, await store.list()]).toEqual([0, []]);
  });

  test('refuses the record of a model that is complete: it is complete all the same', async () => {
    const store = await open();
    const { id, folder } = await store.begin(DRAFT);
    for (const [path, bytes] of made.files) await folder.append(path, bytes);
    records.set = () => Promise.reject(new QuotaExceededError());
    await folder.close();
    expect(await store.finish(id)).toMatchObject({ id, state: 'complete' });
    expect(await store.list()).toMatchObject([
      { id, state: 'complete', bytes: total(made.manifest) },
    ]);
    expect((await store.open(id)).manifest).toEqual(made.manifest);
  });

  test('on the way says what it is, not that a record could not be kept, and goes on later', async () => {
    const store = await open();
    const { folder } = await store.begin(DRAFT);
    await folder.append('head.data', made.files.get('head.data')!);
    await folder.flush();
    fill();
    await expect(folder.append('trunk.data', new Uint8Array(1e6))).rejects.toMatchObject({
      code: 'out-of-storage',
      message: 'There is no room for 1.0 MB more of trunk.data.',
    });
    await folder.close();
    const again = await store.begin(DRAFT);
    await expect(again.reserve(1e6)).rejects.toMatchObject({ code: 'out-of-storage' });
    await again.folder.close();
    expect(await store.list()).toMatchObject([{ bytes: made.manifest.files['head.data']!.bytes }]);
  });

  test.each(['QuotaExceededError', 'NS_ERROR_FILE_NO_DEVICE_SPACE'])(
    'is known by the name %s',
    async (name) => {
      storage.failureName = name;
      storage.quota = 1000;
      const { folder, reserve } = await (await open()).begin(DRAFT);
      await expect(reserve(2000)).rejects.toMatchObject({ code: 'out-of-storage' });
      await expect(folder.append('a', new Uint8Array(2000))).rejects.toMatchObject({
        code: 'out-of-storage',
      });
      await folder.close();
    },
  );
});

describe('a download into the store', () => {
  let server: BundleServer;
  beforeEach(async () => {
    server = await serveBundle(made.files);
  });
  afterEach(() => server.close());

  test('is gone on with, and mends what is damaged', async () => {
    const fetchInto = async (store: ModelStore): Promise<string> => {
      const { id, folder, reserve } = await store.begin({ ...DRAFT, source: server.url });
      try {
        await downloadBundle(server.url, folder, { reserve, pauses: [] });
      } finally {
        await folder.close();
      }
      return (await store.finish(id)).id;
    };
    const store = await open();
    server.behaviour = { status: (path) => (path === 'head.data' ? 404 : undefined) };
    await expect(fetchInto(store)).rejects.toMatchObject({ code: 'not-found' });
    expect(await store.list()).toMatchObject([{ state: 'partial' }]);

    server.behaviour = {};
    const id = await fetchInto(await open());
    fileOf(id, 'head.data').content[0]! ^= 1;
    expect(await store.verify(id)).toEqual(['head.data']);
    expect(await fetchInto(store)).toBe(id);
    expect(await store.verify(id)).toEqual([]);
    expect(await store.list()).toHaveLength(1);
  });
});
