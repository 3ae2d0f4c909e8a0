/**
 * What a download has done, in a file of lines beside the bundle's own, so that it goes on without
 * hashing what is verified. A line that was cut short counts for nothing.
 */
import * as v from 'valibot';
import type { WritableFolder } from '../folder.ts';

export const DOWNLOAD_LOG = 'download.log';

/** The manifest that this is a download of. */
const header = v.object({ manifest: v.string() });
const line = v.object({
  path: v.string(),
  /** That was begun, as the server named it. */
  version: v.optional(v.string()),
  /** All of it is written and verified. */
  verified: v.optional(v.boolean(), false),
});
type Line = v.InferInput<typeof line>;

const MOST_BYTES = 64 * 2 ** 20;

export class DownloadLog {
  readonly verified = new Set<string>();
  readonly versions = new Map<string, string>();
  private readonly paths = new Set<string>();

  private constructor(private readonly folder: WritableFolder) {}

  /**
   * Goes on with the log in the folder if it is of the same manifest, else begins a new one; what
   * the old one says was written and `isKept` does not want is removed.
   */
  static async open(
    folder: WritableFolder,
    manifestHash: string,
    isKept: (path: string) => boolean,
  ): Promise<DownloadLog> {
    const [first, ...rest] = await readLines(folder);
    const before = new DownloadLog(folder);
    for (const one of rest) before.note(one);
    if (v.is(header, first) && first.manifest === manifestHash) return before;
    for (const path of before.paths) if (!isKept(path)) await folder.remove(path);
    const log = new DownloadLog(folder);
    await folder.truncate(DOWNLOAD_LOG, 0);
    await log.write({ manifest: manifestHash });
    return log;
  }

  begun(path: string, version?: string): Promise<void> {
    return this.add({ path, ...(version !== undefined && { version }) });
  }

  async done(path: string): Promise<void> {
    await this.folder.flush();
    await this.add({ path, verified: true });
  }

  remove(): Promise<void> {
    return this.folder.remove(DOWNLOAD_LOG);
  }

  private async add(added: Line): Promise<void> {
    this.note(added);
    await this.write(added);
  }

  private note(noted: unknown): void {
    const result = v.safeParse(line, noted);
    if (!result.success) return;
    const { path, version, verified } = result.output;
    this.paths.add(path);
    if (version !== undefined) this.versions.set(path, version);
    if (verified) this.verified.add(path);
    else this.verified.delete(path);
  }

  private async write(value: unknown): Promise<void> {
    // The line break comes first, so that a line that was cut short ends before the next.
    await this.folder.append(DOWNLOAD_LOG, new TextEncoder().encode(`\n${JSON.stringify(value)}`));
    await this.folder.flush();
  }
}

async function readLines(folder: WritableFolder): Promise<unknown[]> {
  const bytes = await folder.size(DOWNLOAD_LOG);
  if (bytes > MOST_BYTES) return [];
  const text =
    bytes === 0 ? '' : new TextDecoder().decode(await folder.read(DOWNLOAD_LOG, 0, bytes));
  return text.split('\n').slice(1).map(parse);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
