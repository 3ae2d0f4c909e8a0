/**
 * The models that a browser keeps: a folder each in the origin private file system, and a record of
 * each.
 */
import { AppError } from '../../shared/errors.ts';
import type { Bundle } from '../bundle.ts';
import type { RepairableFolder } from '../folder.ts';
import { MANIFEST } from '../manifest.ts';
import { progressOfDownload, type LoadProgress } from '../progress.ts';
import { modelId } from './ids.ts';
import { hold, type Locks } from './locks.ts';
import { ifThere, isFailure, type OpfsFolder } from './opfs.ts';
import { openElsewhere, opfsFolder } from './opfs-folder.ts';
import { ifRoom, type ModelRecord, readRecords, type RecordStore } from './records.ts';
import { repair, settled } from './repair.ts';
import { removeReservations, Reservation } from './reservation.ts';
import { isOutOfStorage, outOfStorage, spaceOf, type Storage, type StorageSpace } from './room.ts';
import { bytesIn, openStoredBundle } from './stored-bundle.ts';
import { verifyBlob } from '../verify.ts';

/** What a model is made of, before it is. */
export type ModelDraft = Pick<ModelRecord, 'title' | 'licence' | 'source' | 'settings'>;

/** A model that this thread alone writes, until the folder is closed. */
export interface ModelInWork {
  readonly id: string;
  readonly folder: RepairableFolder;
  /**
   * Sets aside room for so many bytes more, until they are written or the folder is closed.
   * @throws AppError `out-of-storage` with what would fit.
   */
  reserve(bytes: number): Promise<void>;
}

/** What the store asks the browser for. */
export interface StoreHost {
  readonly locks: Locks;
  /** Undefined where the browser says nothing of it. */
  readonly storage: Storage | undefined;
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
  // A full storage refuses to create even what is there.
  const models =
    (await ifThere(root.getDirectoryHandle(FOLDER))) ??
    (await root.getDirectoryHandle(FOLDER, { create: true }));
  await host.locks.request(STORE_LOCK, async () => {
    await removeReservations(root);
    await repair(models, records);
  });
  return new ModelStore(root, models, records, host);
}

export class ModelStore {
  constructor(
    private readonly root: OpfsFolder,
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
        if (!folder) return { ...record, bytes: 0 };
        const found = await settled(folder, record);
        return found.state === 'complete' ? found : { ...found, bytes: await bytesIn(folder) };
      }),
    );
    return now.sort((a, b) => (a.date < b.date ? 1 : -1));
  }

  /**
   * A folder for a model, empty or as it was left: the same source and settings give the same one.
   * Closing it, which must not be forgotten, lets other tabs have it.
   *
   * @throws AppError `busy` while another tab, or this one, has it, `out-of-storage`.
   */
  async begin(draft: ModelDraft): Promise<ModelInWork> {
    const id = await modelId(draft.source, draft.settings);
    const release = await this.holdModel(id, draft.title);
    try {
      const directory = await this.together(async () => {
        const before = (await readRecords(this.records)).get(id);
        if (before?.state !== 'complete') {
          const date = before?.date ?? new Date().toISOString();
          const set = this.records.set({ ...draft, id, bytes: 0, date, state: 'partial' });
          await (before ? ifRoom(set) : set);
        }
        return (
          (await ifThere(this.models.getDirectoryHandle(id))) ??
          (await this.models.getDirectoryHandle(id, { create: true }))
        );
      });
      return this.inWork(id, directory, release);
    } catch (cause) {
      release();
      throw isOutOfStorage(cause) ? outOfStorage(draft.title, 0, undefined, cause) : cause;
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
        await ifRoom(this.records.set({ ...record, state: 'partial' }));
        const folder = await ifThere(this.models.getDirectoryHandle(id));
        if (folder) {
          await ifThere(folder.removeEntry(MANIFEST));
          await this.models.removeEntry(id, { recursive: true });
        }
        await ifRoom(this.records.delete(id));
      });
    } catch (cause) {
      if (isFailure(cause, 'NoModificationAllowedError')) throw openElsewhere(record.title, cause);
      throw cause;
    } finally {
      release();
    }
  }

  space(): Promise<StorageSpace> {
    return spaceOf(this.host.storage);
  }

  private inWork(id: string, directory: OpfsFolder, release: () => void): ModelInWork {
    let reservation: Reservation | undefined;
    const folder = opfsFolder(directory, async (bytes) => reservation?.give(bytes));
    return {
      id,
      folder: closing(folder, async () => {
        await reservation?.end();
        await this.settle(id, directory).finally(release);
      }),
      reserve: async (bytes) => {
        await reservation?.end();
        reservation = undefined;
        if (bytes > 0) reservation = await this.setAside(id, bytes);
      },
    };
  }

  /** Undefined where the browser cannot do it: writing decides alone there. */
  private async setAside(id: string, bytes: number): Promise<Reservation | undefined> {
    try {
      return await this.together(() => Reservation.make(this.root, id, bytes));
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      return undefined;
    }
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
      if (record) await ifRoom(this.records.set(await settled(directory, record)));
    });
  }

  private async recordOf(id: string): Promise<ModelRecord> {
    const record = (await readRecords(this.records)).get(id);
    if (!record) throw notStored(id);
    if (record.state === 'complete') return record;
    const folder = await ifThere(this.models.getDirectoryHandle(id));
    return folder ? settled(folder, record) : record;
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
