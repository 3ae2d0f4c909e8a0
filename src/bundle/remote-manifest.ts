/** The manifest of a bundle that some server has. */
import { AppError } from '../shared/errors.ts';
import { checkComplete } from './files.ts';
import { folderOf, get, type HttpOptions } from './http/request.ts';
import { type Manifest, MANIFEST, MOST_MANIFEST_BYTES, parseManifest } from './manifest.ts';
import { bytesOf, refusePage } from './http/responses.ts';

export interface RemoteManifest {
  readonly manifest: Manifest;
  /** Its text, as the server has it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the paths of files are relative to. */
  readonly folder: URL;
}

/** @throws AppError as `get`, `not-found` if there is no manifest there, `bad-bundle` if it is not valid. */
export async function readManifest(
  url: string,
  options: HttpOptions,
  init?: RequestInit,
): Promise<RemoteManifest> {
  const folder = folderOf(url);
  const address = new URL(MANIFEST, folder).href;
  const response = await get(address, options, init);
  refusePage(address, response);
  const bytes = await bytesOf(address, response, options.signal, MOST_MANIFEST_BYTES, () =>
    tooLong(address),
  );
  const manifest = parseManifest(new TextDecoder().decode(bytes), address);
  checkComplete(manifest, address);
  return { manifest, bytes, folder };
}

function tooLong(address: string): AppError {
  return new AppError(
    'bad-bundle',
    `${address} is too long for a manifest.`,
    'Check the address of the bundle.',
  );
}
