/**
 * The origin private file system in memory, with what can go wrong in it: a quota, a crash that
 * loses what was not flushed, a file that another tab has open.
 */
import type { AccessHandle, OpfsFile, OpfsFolder } from '../../../src/bundle/store/opfs.ts';
import type { Storage } from '../../../src/bundle/store/room.ts';

const failure = (name: string): DOMException => new DOMException(`made to fail: ${name}`, name);

/** One site's storage, as all of its tabs see it. */
export class MemoryStorage implements Storage {
  readonly root = new MemoryFolder(this);
  quota = 2 ** 30;
  persistent = false;
  /** Bytes that are written before everything stops, as in a crash. */
  crashAfter = Infinity;
  /**
   * What a full storage does: throws as the standard says, writes what fits and calls it that, or
   * gives an error code as Chromium does in private windows.
   */
  whenFull: 'throws' | 'writes less' | 'gives a code' = 'throws';
  readonly openHandles = new Set<MemoryAccess>();

  get used(): number {
    return this.root.bytes();
  }

  estimate(): Promise<{ usage: number; quota: number }> {
    return Promise.resolve({ usage: this.used, quota: this.quota });
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

  constructor(
    readonly file: MemoryFile,
    private readonly storage: MemoryStorage,
  ) {}

  read(bytes: Uint8Array<ArrayBuffer>, { at }: { at: number }): number {
    this.check();
    const found = this.file.content.subarray(at, at + bytes.length);
    bytes.set(found);
    return found.length;
  }

  write(bytes: Uint8Array<ArrayBuffer>, { at }: { at: number }): number {
    this.check();
    const { content } = this.file;
    const room = this.storage.quota - this.storage.used + content.length - at;
    const fits = bytes.subarray(0, Math.max(0, Math.min(room, this.storage.crashAfter)));
    if (at + fits.length > content.length) this.file.lengthen(at + fits.length);
    this.file.content.set(fits, at);
    this.storage.crashAfter -= fits.length;
    if (this.storage.crashAfter === 0) {
      this.storage.crash();
      throw new Error('everything stops');
    }
    if (fits.length === bytes.length || this.storage.whenFull === 'writes less') return fits.length;
    if (this.storage.whenFull === 'gives a code') return 2 ** 32 - 8;
    throw failure('QuotaExceededError');
  }

  truncate(length: number): void {
    this.check();
    const cut = new Uint8Array(length);
    cut.set(this.file.content.subarray(0, length));
    this.file.content = cut;
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
