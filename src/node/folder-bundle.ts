/** A bundle in a folder of this machine. */
import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Bundle } from '../bundle/bundle.ts';
import { checkComplete, entryOf } from '../bundle/files.ts';
import { MANIFEST, parseManifest } from '../bundle/manifest.ts';
import { verifyBlob, verifyFile } from '../bundle/verify.ts';
import { AppError } from '../shared/errors.ts';

/**
 * @throws AppError `not-found` if there is no manifest there, `bad-bundle` if it is not valid;
 * reads throw as `Bundle.read` says.
 */
export async function openBundleFolder(folder: string): Promise<Bundle> {
  const where = join(resolve(folder), MANIFEST);
  const manifest = parseManifest(new TextDecoder().decode(await readBundleFile(where)), where);
  checkComplete(manifest, where);
  return {
    manifest,
    async read(path) {
      const entry = entryOf(manifest, path);
      const bytes = await readBundleFile(join(resolve(folder), path));
      await verifyFile(path, bytes, entry);
      return bytes;
    },
    async blob(path) {
      const entry = entryOf(manifest, path);
      const blob = await whileReading(join(resolve(folder), path), async (file) => {
        await stat(file); // says what is wrong, which openAsBlob does not
        return openAsBlob(file);
      });
      await verifyBlob(path, blob, entry);
      return blob;
    },
  };
}

async function readBundleFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await whileReading(path, (file) => readFile(file)));
}

async function whileReading<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    const message =
      reason === 'ENOENT' ? `There is no file ${path}.` : `${path} cannot be read (${reason}).`;
    throw new AppError(
      'not-found',
      message,
      'Give the folder of a bundle with --bundle; `hicache convert` makes one.',
      { cause },
    );
  }
}
