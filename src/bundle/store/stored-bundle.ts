/** A bundle in the browser's storage. Its files were verified when they were written. */
import { AppError } from '../../shared/errors.ts';
import type { Bundle } from '../bundle.ts';
import { checkComplete, entryOf } from '../files.ts';
import { namesOf } from '../folder.ts';
import { type Manifest, MANIFEST, MOST_MANIFEST_BYTES, parseManifest } from '../manifest.ts';
import { type FileEntry, wrongSize } from '../verify.ts';
import { ifThere, isFailure, type OpfsFolder } from './opfs.ts';
import { fileIn } from './opfs-folder.ts';

/**
 * Checks that all files are there in their sizes: to hash gigabytes at every start would take
 * minutes. A Blob is the stored file itself and takes no memory.
 *
 * @throws AppError `not-found` for a file that is not there, `bad-bundle` for one that differs.
 */
export async function openStoredBundle(directory: OpfsFolder): Promise<Bundle> {
  const manifest = await readStoredManifest(directory);
  for (const [path, entry] of Object.entries(manifest.files)) {
    await storedFile(directory, path, entry);
  }
  const blob = async (path: string): Promise<File> =>
    storedFile(directory, path, entryOf(manifest, path));
  return {
    manifest,
    blob,
    async read(path) {
      const file = await blob(path);
      return whileThere(path, async () => new Uint8Array(await file.arrayBuffer()));
    },
  };
}

async function readStoredManifest(directory: OpfsFolder): Promise<Manifest> {
  const file = await storedFile(directory, MANIFEST);
  if (file.size > MOST_MANIFEST_BYTES) throw wrongSizeOfManifest();
  const manifest = parseManifest(await whileThere(MANIFEST, () => file.text()), MANIFEST);
  checkComplete(manifest, MANIFEST);
  return manifest;
}

async function storedFile(directory: OpfsFolder, path: string, entry?: FileEntry): Promise<File> {
  const file = await whileThere(path, async () =>
    (await fileIn(directory, namesOf(path))).getFile(),
  );
  if (entry && file.size !== entry.bytes) throw wrongSize(path, file.size, entry);
  return file;
}

/** A file may be removed by another tab at any time, and may be a folder in the end. */
async function whileThere<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const gone = ['NotFoundError', 'NotReadableError', 'TypeMismatchError'];
    if (!gone.some((name) => isFailure(cause, name))) throw cause;
    throw new AppError(
      'not-found',
      `The file ${path} of the stored model is not there.`,
      'The model was removed or is not complete. Download or convert it again.',
      { cause },
    );
  }
}

function wrongSizeOfManifest(): AppError {
  return new AppError(
    'bad-bundle',
    `${MANIFEST} is too long for a manifest.`,
    'Download or convert the model again.',
  );
}

/** Bytes of all files in a folder and the folders in it. */
export async function bytesIn(directory: OpfsFolder): Promise<number> {
  let sum = 0;
  for await (const [, item] of directory.entries()) {
    if (item.kind === 'directory') sum += await bytesIn(item);
    else sum += (await ifThere(item.getFile()))?.size ?? 0;
  }
  return sum;
}
