/**
 * The models that a browser keeps: a folder each in the origin private file system, and a record of
 * each.
 */
import { AppError } from '../errors.ts';
import type { Bundle } from './bundle.ts';
import type { RepairableFolder } from './folder.ts';
import { MANIFEST } from './manifest.ts';
import { progressOfDownload, type LoadProgress } from './progress.ts';
import { modelId } from './store/ids.ts';
import { hold, type Locks } from './store/locks.ts';
import { ifThere, isFailure, type OpfsFolder } from './store/opfs.ts';
import { openElsewhere, opfsFolder } from './store/opfs-folder.ts';
import { type ModelRecord, readRecords, type RecordStore } from './store/records.ts';
import { repair, settled } from './store/repair.ts';
import { freeBytes, outOfStorage, type Storage } from './store/room.ts';
import { bytesIn, openStoredBundle } from './store/stored-bundle.ts';
import { verifyBlob } from './verify.ts';

/** What a model is made of, before it is. */
export type ModelDraft = Pick<ModelRecord, 'title' | 'licence' | 'source' | 'settings'>;

/** A model that this thread alone writes, until the folder is closed. */
export interface ModelInWork {
  readonly id: string;
  readonly folder: RepairableFolder;
}

/** What the store asks the browser for. */
export interface StoreHost {
  readonly locks: Locks;
  readonly storage: Storage;
  /** How long to wait for another tab to let go of a model, in milliseconds. */
  readonly patience?: number;
}

const FOLDER = 'models';
/** Held while records and folders change together. */
const STORE_LOCK = 'hicache-models';
const modelLock = (id: string): string => `hicache-model/${id}`;

/** Opens the store and mends what a crash has left. @param root of the site's private storage */
export async function openStore(
  root: OpfsFolder,
  records: RecordStore,
  host: StoreHost = navigator,
): Promise<ModelStore> {
  const models = await root.getDirectoryHandle(FOLDER, { create: true });
  await host.locks.request(STORE_LOCK, () => repair(models, records));
  return new ModelStore(models, records, host);
}

export class ModelStore {
  constructor(
    private readonly models: OpfsFolder,
    private readonly records: RecordStore,
    private readonly host: StoreHost,
  ) {}

  /** The newest first. */
  async list(): Promise<ModelRecord[]> {
    const known = [...(await readRecords(this.records)).values()];
    const now = await Promise.all(
      known.map(async (record) => {
        if (record.state === 'complete') return record;
        const folder = await ifThere(this.models.getDirectoryHandle(record.id));
        return { ...record, bytes: folder ? await bytesIn(folder) : 0 };
      }),
    );
    return now.sort((a, b) => (a.date < b.date ? 1 : -1));
  }

  /**
   * A folder for a model, empty or as it was left: the same source and settings give the same one.
   * Closing it, which must not be forgotten, lets other tabs have it.
   *
   * @throws AppError `busy` while another tab, or this one, has it.
   */
  async begin(draft: ModelDraft): Promise<ModelInWork> {
    const id = await modelId(draft.source, draft.settings);
    const release = await this.holdModel(id, draft.title);
    try {
      const directory = await this.together(async () => {
        const before = (await readRecords(this.records)).get(id);
        if (before?.state !== 'complete') {
          const date = before?.date ?? new Date().toISOString();
          await this.records.set({ ...draft, id, bytes: 0, date, state: 'partial' });
        }
        return this.models.getDirectoryHandle(id, { create: true });
      });
      const folder = opfsFolder(directory, this.host.storage);
      return { id, folder: closing(folder, () => this.settle(id, directory).finally(release)) };
    } catch (cause) {
      release();
      throw cause;
    }
  }

  /**
   * Call it after the manifest was written and the folder closed.
   * @throws AppError `bad-bundle` if the model is not complete, `not-found` if there is none.
   */
  async finish(id: string): Promise<ModelRecord> {
    const record = await this.recordOf(id);
    if (record.state === 'complete') return record;
    throw incomplete(record);
  }

  /** @throws AppError `not-found` or `bad-bundle` for a model that is not there or not complete. */
  async open(id: string): Promise<Bundle> {
    const record = await this.recordOf(id);
    if (record.state === 'partial') throw incomplete(record);
    return openStoredBundle(await this.folderOf(id));
  }

  /** Reads and hashes every file. Gives the paths of those that are damaged. */
  async verify(id: string, onProgress?: (progress: LoadProgress) => void): Promise<string[]> {
    const bundle = await this.open(id);
    const progress = onProgress && progressOfDownload(bundle.manifest, onProgress);
    const damaged: string[] = [];
    for (const [path, entry] of Object.entries(bundle.manifest.files)) {
      try {
        await verifyBlob(path, await bundle.blob(path), entry, (bytes) => progress?.(path, bytes));
      } catch (cause) {
        if (!(cause instanceof AppError && cause.code === 'bad-bundle')) throw cause;
        damaged.push(path);
      }
    }
    return damaged;
  }

  /** Frees the room that it takes. @throws AppError `busy` while it is written or being read. */
  async remove(id: string): Promise<void> {
    const record = (await readRecords(this.records)).get(id);
    if (!record) return;
    const release = await this.holdModel(id, record.title);
    try {
      await this.together(async () => {
        // In this order a crash leaves a partial model, which can be removed again.
        await this.records.set({ ...record, state: 'partial' });
        const folder = await ifThere(this.models.getDirectoryHandle(id));
        if (folder) {
          await ifThere(folder.removeEntry(MANIFEST));
          await this.models.removeEntry(id, { recursive: true });
        }
        await this.records.delete(id);
      });
    } catch (cause) {
      if (isFailure(cause, 'NoModificationAllowedError')) throw openElsewhere(record.title, cause);
      throw cause;
    } finally {
      release();
    }
  }

  /** Bytes that this site takes and may take, and whether the browser promised to keep them. */
  async space(): Promise<{ used: number; quota: number; persisted: boolean }> {
    const { usage = 0, quota = 0 } = await this.host.storage.estimate();
    return { used: usage, quota, persisted: await this.host.storage.persisted() };
  }

  /**
   * Asks the browser to keep what is stored, and makes sure that so many bytes more fit.
   * @throws AppError `out-of-storage` with the figures.
   */
  async ensureRoom(bytes: number): Promise<void> {
    const { storage } = this.host;
    if (!(await storage.persisted())) await storage.persist?.();
    const free = await freeBytes(storage);
    if (free !== undefined && free < bytes) throw outOfStorage('the model', bytes, free);
  }

  private holdModel(id: string, title: string): Promise<() => void> {
    const busy = (cause: unknown) => openElsewhere(title, cause);
    return hold(this.host.locks, modelLock(id), busy, this.host.patience);
  }

  private together<T>(work: () => Promise<T>): Promise<T> {
    return this.host.locks.request(STORE_LOCK, work) as Promise<T>;
  }

  /** After its folder was written. */
  private settle(id: string, directory: OpfsFolder): Promise<void> {
    return this.together(async () => {
      const record = (await readRecords(this.records)).get(id);
      if (record) await this.records.set(await settled(directory, record));
    });
  }

  private async recordOf(id: string): Promise<ModelRecord> {
    const record = (await readRecords(this.records)).get(id);
    if (record) return record;
    throw notStored(id);
  }

  private async folderOf(id: string): Promise<OpfsFolder> {
    const folder = await ifThere(this.models.getDirectoryHandle(id));
    if (folder) return folder;
    throw notStored(id);
  }
}

/** The folder, with something to be done once when it is closed. */
function closing(folder: RepairableFolder, done: () => Promise<void>): RepairableFolder {
  let ending: Promise<void> | undefined;
  return {
    size: (path) => folder.size(path),
    read: (path, offset, length) => folder.read(path, offset, length),
    truncate: (path, length) => folder.truncate(path, length),
    append: (path, bytes) => folder.append(path, bytes),
    replace: (path, offset, bytes) => folder.replace(path, offset, bytes),
    flush: () => folder.flush(),
    remove: (path) => folder.remove(path),
    close: () => (ending ??= folder.close().finally(done)),
  };
}

function notStored(id: string): AppError {
  return new AppError(
    'not-found',
    `There is no stored model "${id}".`,
    'It was removed, or the browser cleared its storage. Download or convert it again.',
  );
}

function incomplete({ title }: ModelRecord): AppError {
  return new AppError(
    'bad-bundle',
    `The model ${title} is not complete.`,
    'Go on with its download or conversion, or remove it.',
  );
}
