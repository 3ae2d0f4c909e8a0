/** A writable folder out of files that can be read and written at any place. */
import { AppError } from '../shared/errors.ts';
import { namesOf, type RepairableFolder } from './folder.ts';

type Maybe<T> = T | Promise<T>;

/** A file that nobody else writes as long as it is open. */
export interface OpenFile {
  size(): Maybe<number>;
  /** Bytes read, fewer than fit into `bytes` only at the end of the file. */
  read(bytes: Uint8Array<ArrayBuffer>, at: number): Maybe<number>;
  /** Bytes written, which may be fewer than were given. */
  write(bytes: Uint8Array, at: number): Maybe<number>;
  truncate(length: number): Maybe<void>;
  /** Returns once a crash does not undo what was written. */
  flush(): Maybe<void>;
  close(): Maybe<void>;
}

/** Where the files are. */
export interface Place {
  /** Undefined if there is no such file and none is to be created. */
  open(names: readonly string[], create: boolean): Promise<OpenFile | undefined>;
  /** Does nothing if there is no such file. */
  remove(names: readonly string[]): Promise<void>;
  /** A failure of this place as an error for people; `wanted`: bytes that were to be added. */
  explain(cause: unknown, path: string, wanted: number): Maybe<unknown>;
}

interface Opened {
  readonly file: OpenFile;
  size: number;
  dirty: boolean;
}

/** Every open file costs the system something; a bundle has a hundred. */
const MOST_OPEN = 16;

export class OpenFiles implements RepairableFolder {
  /** The ones used last come last. */
  private readonly opened = new Map<string, Opened>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly place: Place) {}

  size(path: string): Promise<number> {
    return this.inTurn(path, 0, async () => (await this.open(path, false))?.size ?? 0);
  }

  read(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.inTurn(path, 0, async () => {
      const { file } = this.reaching(path, offset + length, await this.open(path, false));
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = await file.read(bytes.subarray(done), offset + done);
        if (count === 0) throw endsBefore(path, offset + length);
        done += count;
      }
      return bytes;
    });
  }

  truncate(path: string, length: number): Promise<void> {
    return this.inTurn(path, 0, async () => {
      const opened = this.reaching(path, length, await this.open(path, length === 0));
      opened.dirty = true;
      await opened.file.truncate(length);
      opened.size = length;
    });
  }

  append(path: string, bytes: Uint8Array): Promise<void> {
    return this.inTurn(path, bytes.length, async () => {
      const opened = (await this.open(path, true))!;
      try {
        await write(opened, bytes, opened.size);
      } catch (cause) {
        // A part of it may have been written.
        await attempt(() => opened.file.truncate(opened.size));
        throw cause;
      }
      opened.size += bytes.length;
    });
  }

  replace(path: string, offset: number, bytes: Uint8Array): Promise<void> {
    return this.inTurn(path, bytes.length, async () => {
      await write(
        this.reaching(path, offset + bytes.length, await this.open(path, false)),
        bytes,
        offset,
      );
    });
  }

  flush(): Promise<void> {
    return this.inTurn('', 0, async () => {
      for (const opened of this.opened.values()) await flush(opened);
    });
  }

  remove(path: string): Promise<void> {
    return this.inTurn(path, 0, async () => {
      await this.letGo(path);
      await this.place.remove(namesOf(path));
    });
  }

  close(): Promise<void> {
    return this.inTurn('', 0, async () => {
      try {
        for (const opened of this.opened.values()) await flush(opened);
      } finally {
        for (const path of [...this.opened.keys()]) await this.letGo(path);
      }
    });
  }

  /** One after another, so that sizes hold. After a failure of a file it is not kept open. */
  private inTurn<T>(path: string, wanted: number, work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work).catch(async (cause: unknown) => {
      if (cause instanceof AppError) throw cause;
      const opened = this.opened.get(path);
      if (opened) await attempt(() => flush(opened));
      await attempt(() => this.letGo(path));
      throw await this.place.explain(cause, path, wanted);
    });
    this.last = result.catch(() => undefined);
    return result;
  }

  private async open(path: string, create: boolean): Promise<Opened | undefined> {
    let opened = this.opened.get(path);
    if (!opened) {
      for (const [oldest, unused] of this.opened) {
        if (this.opened.size < MOST_OPEN) break;
        await flush(unused);
        await this.letGo(oldest);
      }
      const file = await this.place.open(namesOf(path), create);
      if (!file) return undefined;
      opened = { file, size: await file.size(), dirty: false };
    }
    this.opened.delete(path);
    this.opened.set(path, opened);
    return opened;
  }

  private async letGo(path: string): Promise<void> {
    const opened = this.opened.get(path);
    this.opened.delete(path);
    await opened?.file.close();
  }

  private reaching(path: string, end: number, opened: Opened | undefined): Opened {
    if (!opened || opened.size < end) throw endsBefore(path, end);
    return opened;
  }
}

async function write(opened: Opened, bytes: Uint8Array, at: number): Promise<void> {
  opened.dirty = true;
  for (let done = 0; done < bytes.length;) {
    done += await opened.file.write(bytes.subarray(done), at + done);
  }
}

async function flush(opened: Opened): Promise<void> {
  if (!opened.dirty) return;
  await opened.file.flush();
  opened.dirty = false;
}

/** For what is done after a failure, which is the one to tell of. */
async function attempt(work: () => Maybe<void>): Promise<void> {
  try {
    await work();
  } catch {
    // There is nothing more to be done.
  }
}

function endsBefore(path: string, end: number): AppError {
  return new AppError(
    'not-found',
    `The file ${path} ends before byte ${end}.`,
    'Convert or download the bundle again.',
  );
}
