/** A dedicated worker that has the store of a real browser; store.test.ts calls it. */
import { downloadBundle } from '../../src/bundle/download/download.ts';
import { type ModelInWork, type ModelStore, openStore } from '../../src/bundle/store/store.ts';
import type { OpfsFolder } from '../../src/bundle/store/opfs.ts';
import { browserRecords, type ModelRecord } from '../../src/bundle/store/records.ts';
import { opfsFolder } from '../../src/bundle/store/opfs-folder.ts';
import { reportOf } from '../../src/shared/errors.ts';
import { FOLDER_CHECKS } from '../unit/support/folder-checks.ts';

let held: ModelInWork | undefined;

/** The types of a page know no access handles, which its workers have. */
type Directory = FileSystemDirectoryHandle & OpfsFolder;

async function openHere(): Promise<ModelStore> {
  return openStore((await navigator.storage.getDirectory()) as Directory, browserRecords());
}

const calls = {
  /** What went wrong, by check. */
  async folderChecks(): Promise<Record<string, string>> {
    const failures: Record<string, string> = {};
    for (const [i, [name, check]] of Object.entries(FOLDER_CHECKS).entries()) {
      const root = await navigator.storage.getDirectory();
      const directory = await root.getDirectoryHandle(`check-${i}`, { create: true });
      const open = () => Promise.resolve(opfsFolder(directory as Directory));
      await check(open).catch((error: unknown) => (failures[name] = String(error)));
      await root.removeEntry(`check-${i}`, { recursive: true });
    }
    return { ...failures };
  },

  /** Downloads into the store; a file whose path ends in `stopAt` never comes. */
  async download(url: string, stopAt?: string): Promise<{ id: string; asked: string[] }> {
    const store = await openHere();
    const source = { title: 'pocket', licence: '', source: url, settings: {} };
    const { id, folder, reserve } = await store.begin(source);
    const asked: string[] = [];
    const counting: typeof fetch = (input, init) => {
      asked.push(String(input).slice(url.length));
      if (stopAt !== undefined && String(input).endsWith(stopAt)) {
        postMessage({ stoppedAt: stopAt });
        return new Promise(() => undefined);
      }
      return fetch(input, init);
    };
    try {
      await downloadBundle(url, folder, { fetch: counting, reserve });
    } finally {
      await folder.close();
    }
    await store.finish(id);
    return { id, asked };
  },

  async list(): Promise<ModelRecord[]> {
    return (await openHere()).list();
  },

  async verify(id: string): Promise<string[]> {
    return (await openHere()).verify(id);
  },

  /** Kind and length of every file, as a backend gets them. */
  async files(id: string): Promise<[string, string, number, number][]> {
    const bundle = await (await openHere()).open(id);
    return Promise.all(
      Object.keys(bundle.manifest.files).map(async (path) => {
        const blob = await bundle.blob(path);
        return [path, blob.constructor.name, blob.size, (await bundle.read(path)).length];
      }),
    );
  },

  async hold(source: string): Promise<string> {
    const store = await openHere();
    held = await store.begin({ title: 'pocket', licence: '', source, settings: {} });
    await held.folder.append('held.data', new Uint8Array(1));
    return held.id;
  },

  /** Writes until there is no room. */
  async fill(): Promise<number> {
    const piece = new Uint8Array(2 ** 20);
    for (let written = 0; ; written += piece.length) {
      await held!.folder.append('large.data', piece);
    }
  },

  async reserve(bytes: number): Promise<void> {
    await held!.reserve(bytes);
  },

  /** Bytes that the browser says this site takes. */
  async usage(): Promise<number> {
    return (await navigator.storage.estimate()).usage ?? 0;
  },

  heldBytes(): Promise<number> {
    return held!.folder.size('large.data');
  },

  async letGo(): Promise<void> {
    await held?.folder.close();
  },

  async remove(id: string): Promise<void> {
    await (await openHere()).remove(id);
  },
};

export type Calls = typeof calls;

onmessage = async ({ data: [name, ...args] }: MessageEvent<[keyof Calls, ...unknown[]]>) => {
  try {
    const call = calls[name] as (...given: unknown[]) => Promise<unknown>;
    postMessage({ value: await call(...args) });
  } catch (error) {
    postMessage({ error: reportOf(error) });
  }
};
