/** The folder that a conversion writes: data files that are gone on with, and small whole files. */
import { FileHash } from '../../bundle/file-hash.ts';
import type { WritableFolder } from '../../bundle/folder.ts';
import type { Manifest } from '../../bundle/manifest.ts';
import type { NewHash } from '../../bundle/running-hash.ts';
import { DataFile } from './data-file.ts';
import { JOURNAL, type Line, readJournal, type Unit, writeJournal } from './journal.ts';

/** Read at a time of a file that is gone on with. */
const PIECE = 4 * 2 ** 20;

export interface OutputOptions {
  /** Written between two places to go on from. */
  readonly commitBytes?: number | undefined;
  readonly newHash?: NewHash | undefined;
}

export class Output {
  private readonly hashes = new Map<string, FileHash>();
  private readonly opened: DataFile[] = [];

  private constructor(
    private readonly folder: WritableFolder,
    private readonly started: ReadonlyMap<string, { hash: FileHash; units: readonly Unit[] }>,
    private readonly options: OutputOptions,
  ) {}

  /**
   * Begins a conversion, or goes on with one: what the journal lists is read again, and counts if
   * its hash is the one written down.
   * @param of digest of the source and the settings
   */
  static async open(
    folder: WritableFolder,
    of: string,
    options: OutputOptions = {},
  ): Promise<Output> {
    const journal = await readJournal(folder);
    const byFile = new Map<string, Line[]>();
    for (const line of journal?.of === of ? journal.lines : []) {
      byFile.set(line.file, [...(byFile.get(line.file) ?? []), line]);
    }
    const started = new Map<string, { hash: FileHash; units: readonly Unit[] }>();
    const good: Line[] = [];
    for (const [file, lines] of byFile) {
      const hash = await verified(folder, file, lines, new FileHash(options.newHash));
      if (!hash) continue;
      started.set(file, { hash, units: lines.flatMap(({ units }) => units) });
      good.push(...lines);
    }
    await writeJournal(folder, of, good);
    return new Output(folder, started, options);
  }

  /** Tensors are added to it in the same order every time. */
  async dataFile(path: string): Promise<DataFile> {
    const { commitBytes, newHash } = this.options;
    const { hash, units } = this.started.get(path) ?? { hash: new FileHash(newHash), units: [] };
    await this.folder.truncate(path, hash.hashes().bytes);
    // The files before are done, all but a few small ones.
    for (const before of this.hashes.values()) before.rest();
    this.hashes.set(path, hash);
    const file = new DataFile(this.folder, path, hash, units, commitBytes);
    this.opened.push(file);
    return file;
  }

  /** A small file, written anew every time. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const hash = new FileHash(this.options.newHash);
    hash.update(bytes);
    hash.rest();
    this.hashes.set(path, hash);
    await this.folder.truncate(path, 0);
    await this.folder.append(path, bytes);
  }

  /** Makes everything that is in the data files so far safe from a crash. */
  async commit(): Promise<void> {
    for (const file of this.opened) await file.commit();
  }

  /** Ends the data files, and gives all files as the manifest lists them. */
  async finish(): Promise<Manifest['files']> {
    await this.commit();
    const files: Manifest['files'] = {};
    for (const [path, hash] of this.hashes) {
      const parts = await hash.parts();
      // The only part of a file has the file's own hash.
      files[path] = { ...hash.hashes(), ...(parts.length > 1 ? { parts } : {}) };
    }
    return files;
  }

  /** The journal has served once the manifest is written. */
  async removeJournal(): Promise<void> {
    await this.folder.remove(JOURNAL);
  }
}

/** `hash` with all that the lines say, if the file still has it. */
async function verified(
  folder: WritableFolder,
  file: string,
  lines: readonly Line[],
  hash: FileHash,
): Promise<FileHash | undefined> {
  const there = await folder.size(file);
  const last = lines.at(-1)!;
  if (there < last.bytes) return undefined;
  for (let from = 0; from < last.bytes; from += PIECE) {
    hash.update(await folder.read(file, from, Math.min(PIECE, last.bytes - from)));
  }
  return hash.hashes().sha256 === last.sha256 ? hash : undefined;
}
