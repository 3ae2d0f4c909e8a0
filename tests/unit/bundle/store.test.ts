import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { downloadBundle } from '../../../src/bundle/download.ts';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { type ModelDraft, type ModelStore, openStore } from '../../../src/bundle/store.ts';
import { modelId } from '../../../src/bundle/store/ids.ts';
import type { ModelRecord, RecordStore } from '../../../src/bundle/store/records.ts';
import { type BundleServer, serveBundle } from '../support/bundle-server.ts';
import { testBundleFiles, type TestFiles } from '../support/bundle-folder.ts';
import { MemoryLocks } from '../support/locks.ts';
import { type MemoryFile, type MemoryFolder, MemoryStorage } from '../support/opfs.ts';

class MemoryRecords implements RecordStore {
  readonly known = new Map<string, unknown>();

  all(): Promise<unknown[]> {
    return Promise.resolve([...this.known.values()]);
  }

  set(record: ModelRecord): Promise<void> {
    this.known.set(record.id, structuredClone(record));
    return Promise.resolve();
  }

  delete(id: string): Promise<void> {
    this.known.delete(id);
    return Promise.resolve();
  }
}

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

describe('room', () => {
  test('in figures', async () => {
    const store = await open();
    await writeWhole(store);
    expect(await store.space()).toEqual({
      used: storage.used,
      quota: storage.quota,
      persisted: false,
    });
  });

  test('is made sure of beforehand, and kept', async () => {
    storage.quota = 5_000_000_000;
    const store = await open();
    await store.ensureRoom(5_000_000_000);
    expect(storage.persistent).toBe(true);
    await expect(store.ensureRoom(7_200_000_000)).rejects.toMatchObject({
      code: 'out-of-storage',
      message: 'There is no room for 7.20 GB more of the model: 5.00 GB are free.',
      hint: expect.stringContaining('Remove a model') as string,
    });
  });
});

describe('a download into the store', () => {
  let server: BundleServer;
  beforeEach(async () => {
    server = await serveBundle(made.files);
  });
  afterEach(() => server.close());

  test('is gone on with, and mends what is damaged', async () => {
    const fetchInto = async (store: ModelStore): Promise<string> => {
      const { id, folder } = await store.begin({ ...DRAFT, source: server.url });
      try {
        const reserve = (bytes: number) => store.ensureRoom(bytes);
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
