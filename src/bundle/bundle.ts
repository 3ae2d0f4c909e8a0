/** A bundle: the folder of a converted model, as any static host can serve it. */
import { AppError } from '../shared/errors.ts';
import { entryOf } from './files.ts';
import { get, type HttpOptions, whileConnected } from './http/request.ts';
import { type Manifest, PART_BYTES } from './manifest.ts';
import { type LoadProgress, progressOfLoading } from './progress.ts';
import { readManifest } from './remote-manifest.ts';
import { chunksOf, promisedBytes } from './http/responses.ts';
import { type FileEntry, partHashes, verifyBlob, verifyFile, wrongSize } from './verify.ts';

/** Files are verified on their way here, or were when they were stored on this device. */
export interface Bundle {
  readonly manifest: Manifest;
  /**
   * The bytes of a file.
   * @throws AppError `bad-bundle` for a file that is damaged or not listed, `not-found` for one
   * that is not there, and what `get` throws where it is read from a server.
   */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The same for files that are too large for the heap; throws as `read`. */
  blob(path: string): Promise<Blob>;
}

export interface OpenOptions extends HttpOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
}

/**
 * Opens a bundle by the address of its folder. Only the manifest is read here; files are read
 * when asked for.
 *
 * @throws AppError as `get`, `not-found` if there is no manifest there, `bad-bundle` if it is not
 * valid.
 */
export async function openBundleUrl(url: string, options: OpenOptions = {}): Promise<Bundle> {
  const { manifest, folder } = await readManifest(url, options);
  const progress = options.onProgress && progressOfLoading(manifest, options.onProgress);
  const addressOf = (path: string): string => new URL(path, folder).href;

  const bundle: Bundle = {
    manifest,
    async read(path) {
      const entry = entryOf(manifest, path);
      const file = addressOf(path);
      const bytes = await readBody(path, file, entry, options, (loaded) =>
        progress?.(path, loaded),
      );
      await verifyFile(path, bytes, entry);
      return bytes;
    },
    async blob(path) {
      const entry = entryOf(manifest, path);
      if (entry.bytes <= PART_BYTES) return new Blob([await bundle.read(path)]);
      partHashes(path, entry); // before gigabytes are fetched in vain
      const blob = await blobOf(path, addressOf(path), entry, options, (loaded) =>
        progress?.(path, loaded),
      );
      await verifyBlob(path, blob, entry);
      return blob;
    },
  };
  return bundle;
}

/**
 * The file in ranges, each of which the browser may keep outside of memory, or in one piece if the
 * server has no ranges.
 */
async function blobOf(
  path: string,
  address: string,
  entry: FileEntry,
  options: HttpOptions,
  onLoaded: (bytes: number) => void,
): Promise<Blob> {
  const ranges: Blob[] = [];
  for (let from = 0; from < entry.bytes; from += PART_BYTES) {
    const to = Math.min(from + PART_BYTES, entry.bytes);
    const response = await get(address, options, { headers: { Range: `bytes=${from}-${to - 1}` } });
    const blob = await whileConnected(address, options.signal, () => response.blob());
    if (response.status !== 206) {
      onLoaded(blob.size);
      return blob;
    }
    if (blob.size !== to - from) throw wrongSize(path, from + blob.size, entry);
    ranges.push(blob);
    onLoaded(to);
  }
  return new Blob(ranges);
}

/** The whole body in one array, whose length is the manifest's where the server promises the same. */
async function readBody(
  path: string,
  address: string,
  entry: FileEntry,
  options: HttpOptions,
  onLoaded: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  if (entry.bytes > MOST_ARRAY_BYTES) throw noRoom(path, entry.bytes);
  const response = await get(address, options);
  const promised = promisedBytes(response) === entry.bytes;
  let bytes = allocate(path, promised ? entry.bytes : Math.min(entry.bytes, PART_BYTES));
  let filled = 0;
  for await (const chunk of chunksOf(address, response, options.signal)) {
    const end = filled + chunk.length;
    if (end > entry.bytes) throw wrongSize(path, end, entry);
    if (end > bytes.length) {
      const larger = allocate(path, Math.min(entry.bytes, 2 * end));
      larger.set(bytes.subarray(0, filled));
      bytes = larger;
    }
    bytes.set(chunk, filled);
    filled = end;
    onLoaded(filled);
  }
  return bytes.subarray(0, filled);
}

/** No browser has longer arrays. */
const MOST_ARRAY_BYTES = 2 ** 33;

function allocate(path: string, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw noRoom(path, bytes, cause);
  }
}

function noRoom(path: string, bytes: number, cause?: unknown): AppError {
  return new AppError(
    'out-of-memory',
    `There is no room for ${path}, which has ${bytes} bytes.`,
    'Close other tabs and programs, or use a smaller model.',
    { cause },
  );
}
