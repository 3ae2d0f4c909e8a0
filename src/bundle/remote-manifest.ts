/** The manifest of a bundle that some server has. */
import { AppError } from '../errors.ts';
import { checkComplete } from './files.ts';
import { chunksOf, folderOf, get, type HttpOptions, notThere } from './http.ts';
import { type Manifest, parseManifest } from './manifest.ts';

export const MANIFEST = 'manifest.json';

/** More than a bundle of terabytes needs. */
export const MOST_MANIFEST_BYTES = 16 * 2 ** 20;

export interface RemoteManifest {
  readonly manifest: Manifest;
  /** Its text, as the server has it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the paths of files are relative to. */
  readonly folder: URL;
}

/** @throws AppError `not-found` if there is no manifest there, `bad-bundle` if it is not valid. */
export async function readManifest(
  url: string,
  options: HttpOptions,
  init?: RequestInit,
): Promise<RemoteManifest> {
  const folder = folderOf(url);
  const address = new URL(MANIFEST, folder).href;
  const response = await get(address, options, init);
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    // A host that answers every address with its page.
    throw notThere(address, 'the server answers with a web page');
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of chunksOf(address, response, options.signal)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST_MANIFEST_BYTES) {
      throw new AppError(
        'bad-bundle',
        `${address} is too long for a manifest.`,
        'Check the address of the bundle.',
      );
    }
  }
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  const manifest = parseManifest(new TextDecoder().decode(bytes), address);
  checkComplete(manifest, address);
  return { manifest, bytes, folder };
}
