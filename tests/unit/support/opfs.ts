/**
 * The origin private file system in memory, with what can go wrong in it: a quota, a crash that
 * loses what was not flushed, a file that another tab has open. What Chromium does is the measure.
 */
import type { AccessHandle, OpfsFile, OpfsFolder } from '../../../src/bundle/store/opfs.ts';
import type { Storage } from '../../../src/bundle/store/room.ts';

const failure = (name: string): DOMException => new DOMException(`made to fail: ${name}`, name);

/** One site's storage, as all of its tabs see it. */
export class MemoryStorage implements Storage {
  readonly root = new MemoryFolder(this);
  quota = 2 ** 30;
  persistent = false;
  /** Names of the failures of what was refused for lack of room: Firefox has one of its own. */
  failureName = 'QuotaExceededError';
  /** Bytes that are written before everything stops, as in a crash. */
  crashAfter = Infinity;
  /**
   * What a full storage does: throws as the standard says, writes what fits and calls it that, or
   * gives an error code as Chromium does in private windows, where it also leaves files as they are
   * that are to be made longer, without a word.
   */
  whenFull: 'throws' | 'writes less' | 'gives a code' = 'throws';
  readonly openHandles = new Set<MemoryAccess>();

  get used(): number {
    return this.root.bytes();
  }

  /** Bytes that may still be stored. What a file had counts until it is closed. */
  get room(): number {
    const given = [...this.openHandles].reduce((sum, handle) => sum + handle.given, 0);
    return this.quota - this.used - given;
  }

  /** As Chrome does it: the quota that it reports is none. */
  estimate(): Promise<{ usage: number; quota: number }> {
    return Promise.resolve({ usage: this.used, quota: this.used + 10 * 2 ** 30 });
  }

  /** @throws the browser's failure when more is stored than may be. */
  checkCreation(): void {
    if (this.room < 0) throw this.full();
  }

  full(): DOMException {
    return failure(this.failureName);
  }

  persisted(): Promise<boolean> {
    return Promise.resolve(this.persistent);
  }

  persist(): Promise<boolean> {
    this.persistent = true;
    return Promise.resolve(true);
  }

  /** The program is gone: no handle is open any more, and files are as they were last flushed. */
  crash(): void {
    for (const handle of this.openHandles) handle.open = false;
    this.openHandles.clear();
    this.root.crash();
    this.crashAfter = Infinity;
  }
}

export class MemoryFolder implements OpfsFolder {
  readonly kind = 'directory';
  readonly items = new Map<string, MemoryFile | MemoryFolder>();

  constructor(private readonly storage: MemoryStorage) {}

  async getFileHandle(name: string, { create = false } = {}): Promise<MemoryFile> {
    const item = this.item(name, create && (() => new MemoryFile(this.storage)));
    if (item instanceof MemoryFile) return item;
    throw failure('TypeMismatchError');
  }

  async getDirectoryHandle(name: string, { create = false } = {}): Promise<MemoryFolder> {
    const item = this.item(name, create && (() => new MemoryFolder(this.storage)));
    if (item instanceof MemoryFolder) return item;
    throw failure('TypeMismatchError');
  }

  async removeEntry(name: string, { recursive = false } = {}): Promise<void> {
    const item = this.item(name, false);
    if (item.inUse()) throw failure('NoModificationAllowedError');
    if (item instanceof MemoryFolder && item.items.size > 0 && !recursive) {
      throw failure('InvalidModificationError');
    }
    if (item instanceof MemoryFolder) item.items.clear();
    this.items.delete(name);
  }

  async *entries(): AsyncGenerator<[string, MemoryFile | MemoryFolder]> {
    yield* [...this.items];
  }

  bytes(): number {
    return [...this.items.values()].reduce((sum, item) => sum + item.bytes(), 0);
  }

  inUse(): boolean {
    return [...this.items.values()].some((item) => item.inUse());
  }

  crash(): void {
    for (const item of this.items.values()) item.crash();
  }

  private item(
    name: string,
    make: false | (() => MemoryFile | MemoryFolder),
  ): MemoryFile | MemoryFolder {
    if (name === '' || name === '.' || name === '..' || /[/\\]/.test(name)) {
      throw new TypeError(`"${name}" is no name`);
    }
    if (make) this.storage.checkCreation();
    const item = this.items.get(name) ?? (make && make());
    if (!item) throw failure('NotFoundError');
    this.items.set(name, item);
    return item;
  }
}

export class MemoryFile implements OpfsFile {
  readonly kind = 'file';
  content = new Uint8Array(0);
  private flushed = new Uint8Array(0);

  constructor(private readonly storage: MemoryStorage) {}

  async getFile(): Promise<File> {
    return new File([this.content], 'file');
  }

  async createSyncAccessHandle(): Promise<MemoryAccess> {
    if (this.inUse()) throw failure('NoModificationAllowedError');
    this.storage.checkCreation();
    const access = new MemoryAccess(this, this.storage);
    this.storage.openHandles.add(access);
    return access;
  }

  bytes(): number {
    return this.content.length;
  }

  inUse(): boolean {
    return [...this.storage.openHandles].some(({ file }) => file === this);
  }

  /** Room is doubled when it runs out, so that many small pieces stay cheap. */
  lengthen(length: number): void {
    const { buffer } = this.content;
    if (buffer.byteLength >= length) {
      this.content = new Uint8Array(buffer, 0, length);
      return;
    }
    const longer = new Uint8Array(2 * length);
    longer.set(this.content);
    this.content = longer.subarray(0, length);
  }

  flush(): void {
    this.flushed = this.content.slice();
  }

  crash(): void {
    this.content = this.flushed.slice();
  }
}

export class MemoryAccess implements AccessHandle {
  open = true;
  /** The most bytes that the file had since this was opened. */
  private most: number;

  constructor(
    readonly file: MemoryFile,
    private readonly storage: MemoryStorage,
  ) {
    this.most = file.content.length;
  }

  /** Bytes that count although the file has them no more. */
  get given(): number {
    return this.most - this.file.content.length;
  }

  read(bytes: Uint8Array<ArrayBuffer>, { at }: { at: number }): number {
    this.check();
    const found = this.file.content.subarray(at, at + bytes.length);
    bytes.set(found);
    return found.length;
  }

  write(bytes: Uint8Array<ArrayBuffer>, { at }: { at: number }): number {
    this.check();
    const { content } = this.file;
    const room = this.storage.room + this.given + content.length - at;
    const fits = bytes.subarray(0, Math.max(0, Math.min(room, this.storage.crashAfter)));
    if (at + fits.length > content.length) this.file.lengthen(at + fits.length);
    this.file.content.set(fits, at);
    this.most = Math.max(this.most, this.file.content.length);
    this.storage.crashAfter -= fits.length;
    if (this.storage.crashAfter === 0) {
      this.storage.crash();
      throw new Error('everything stops');
    }
    if (fits.length === bytes.length || this.storage.whenFull === 'writes less') return fits.length;
    if (this.storage.whenFull === 'gives a code') return 2 ** 32 - 8;
    throw this.storage.full();
  }

  truncate(length: number): void {
    this.check();
    const growth = length - this.file.content.length;
    if (growth > Math.max(0, this.storage.room + this.given)) {
      if (this.storage.whenFull === 'gives a code') return;
      throw this.storage.full();
    }
    const cut = new Uint8Array(length);
    cut.set(this.file.content.subarray(0, length));
    this.file.content = cut;
    this.most = Math.max(this.most, length);
  }

  getSize(): number {
    this.check();
    return this.file.content.length;
  }

  flush(): void {
    this.check();
    this.file.flush();
  }

  close(): void {
    this.open = false;
    this.storage.openHandles.delete(this);
  }

  private check(): void {
    if (!this.open) throw failure('InvalidStateError');
  }
}
