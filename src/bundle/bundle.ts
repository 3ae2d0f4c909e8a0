/** A bundle: the folder of a converted model, as any static host can serve it. */
import { AppError } from '../errors.ts';
import { checkComplete, entryOf } from './files.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { type LoadProgress, progressOver } from './progress.ts';
import { type FileEntry, verifyFile, wrongSize } from './verify.ts';

export const MANIFEST = 'manifest.json';

export interface Bundle {
  readonly manifest: Manifest;
  /**
   * The bytes of a file, checked against the manifest's size and SHA-256.
   * @throws AppError `bad-bundle` for a file that is damaged or not listed, `not-found` for one
   * that is not there.
   */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

export interface OpenOptions {
  readonly fetch?: typeof fetch;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends reads too: they reject with `cancelled`. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a bundle by the address of its folder. Only the manifest is read here; files are read
 * when asked for.
 *
 * @throws AppError `not-found` if there is no manifest there, `bad-bundle` if it is not valid.
 */
export async function openBundleUrl(url: string, options: OpenOptions = {}): Promise<Bundle> {
  const folder = folderOf(url);
  const address = new URL(MANIFEST, folder).href;
  const response = await get(address, options);
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    // A host that answers every address with its page.
    throw notThere(address, 'the server answers with a web page');
  }
  const text = await whileConnected(address, () => response.text());
  const manifest = parseManifest(text, address);
  checkComplete(manifest, address);
  const progress = options.onProgress && progressOver(manifest, options.onProgress);

  return {
    manifest,
    async read(path) {
      const entry = entryOf(manifest, path);
      const file = new URL(path, folder).href;
      const body = await get(file, options);
      const bytes = await whileConnected(file, () =>
        readBody(path, body, entry, (loaded) => progress?.(path, loaded)),
      );
      await verifyFile(path, bytes, entry);
      return bytes;
    },
  };
}

function folderOf(url: string): URL {
  try {
    return new URL(url.endsWith('/') ? url : `${url}/`, globalThis.location?.href);
  } catch (cause) {
    throw new AppError(
      'bad-request',
      `"${url}" is not an address.`,
      'Give the address of a folder that holds a manifest.json.',
      { cause },
    );
  }
}

async function get(
  address: string,
  { fetch: ask = fetch, signal }: OpenOptions,
): Promise<Response> {
  const response = await whileConnected(address, () => ask(address, signal ? { signal } : {}));
  if (!response.ok) throw notThere(address, `the server answers ${response.status}`);
  return response;
}

/** The whole body in one array of the size that the manifest promises. */
async function readBody(
  path: string,
  response: Response,
  entry: FileEntry,
  onLoaded: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocate(path, entry.bytes);
  let filled = 0;
  const reader = response.body?.getReader();
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      const end = filled + part.value.length;
      if (end > bytes.length) throw wrongSize(path, end, entry);
      bytes.set(part.value, filled);
      filled = end;
      onLoaded(filled);
    }
  } finally {
    // Lets go of the connection if the file was too long; nothing happens at the regular end.
    await reader?.cancel().catch(() => undefined);
  }
  return bytes.subarray(0, filled);
}

function allocate(path: string, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new AppError(
      'out-of-memory',
      `There is no room for ${path}, which has ${bytes} bytes.`,
      'Close other tabs and programs, or use a smaller model.',
      { cause },
    );
  }
}

/** Turns the failures of `fetch` and of its body into errors that say what to do. */
async function whileConnected<T>(address: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    if (cause instanceof DOMException && cause.name === 'AbortError') {
      throw new AppError('cancelled', 'Loading was cancelled.', 'Start again when you like.', {
        cause,
      });
    }
    throw new AppError(
      'not-found',
      `${address} cannot be reached.`,
      'Check the connection and the address, then try again.',
      { cause },
    );
  }
}

function notThere(address: string, answer: string): AppError {
  return new AppError(
    'not-found',
    `There is no ${address}: ${answer}.`,
    'Check the address of the bundle, or put the file back.',
  );
}
