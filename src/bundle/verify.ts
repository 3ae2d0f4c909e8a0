/** Every file of a bundle is checked against the manifest before anything uses it. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { AppError } from '../shared/errors.ts';
import { type Manifest, PART_BYTES } from './manifest.ts';
import { runningHash } from './running-hash.ts';

export type FileEntry = Manifest['files'][string];

const HINT = 'Download or convert the bundle again.';

/** @throws AppError `bad-bundle` with path, expected and actual, if size or SHA-256 differ. */
export async function verifyFile(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  expected: FileEntry,
): Promise<void> {
  if (bytes.length !== expected.bytes) throw wrongSize(path, bytes.length, expected);
  const actual = await sha256(bytes);
  if (actual !== expected.sha256) throw damaged(`file ${path}`, actual, expected.sha256);
}

/**
 * The same for a file of which only a part fits into memory. Where the manifest has hashes of its
 * parts they decide, since browsers compute those five times as fast as a hash that is fed in pieces.
 *
 * @param onVerified told of the bytes from the beginning that are read so far
 */
export async function verifyBlob(
  path: string,
  blob: Blob,
  expected: FileEntry,
  onVerified: (bytes: number) => void = () => undefined,
): Promise<void> {
  if (blob.size !== expected.bytes) throw wrongSize(path, blob.size, expected);
  const parts = partHashes(path, expected);
  const whole = runningHash();
  for (let from = 0, i = 0; from < blob.size || i === 0; from += PART_BYTES, i++) {
    const bytes = new Uint8Array(await blob.slice(from, from + PART_BYTES).arrayBuffer());
    if (parts) await verifyPart(path, i, bytes, parts);
    else whole.update(bytes);
    onVerified(from + bytes.length);
  }
  if (parts) return;
  const actual = whole.hex();
  if (actual !== expected.sha256) throw damaged(`file ${path}`, actual, expected.sha256);
}

/**
 * SHA-256 of every PART_BYTES of a file; of a file without a list only if it is one part.
 * @throws AppError `bad-bundle` if the list is not as long as the file.
 */
export function partHashes(
  path: string,
  { bytes, sha256: whole, parts }: FileEntry,
): readonly string[] | undefined {
  const count = Math.ceil(bytes / PART_BYTES);
  if (count === 0 || (!parts && count === 1)) return [whole];
  if (!parts) return undefined;
  if (parts.length === count) return parts;
  throw new AppError(
    'bad-bundle',
    `The manifest lists ${parts.length} parts of ${path}, which has ${count}.`,
    HINT,
  );
}

/** @throws AppError `bad-bundle` if it is not the part `index` of the file. */
export async function verifyPart(
  path: string,
  index: number,
  bytes: Uint8Array<ArrayBuffer>,
  parts: readonly string[],
): Promise<void> {
  const actual = await sha256(bytes);
  const expected = parts[index]!;
  const what = parts.length === 1 ? `file ${path}` : `part ${index + 1} of ${path}`;
  if (actual !== expected) throw damaged(what, actual, expected);
}

/** `actual`: bytes there are, at least. */
export function wrongSize(path: string, actual: number, expected: FileEntry): AppError {
  const fault = actual < expected.bytes ? 'is cut short' : 'is too long';
  return new AppError(
    'bad-bundle',
    `The file ${path} ${fault}: it has ${actual} bytes, the manifest says ${expected.bytes}.`,
    HINT,
  );
}

export function damaged(what: string, actual: string, expected: string): AppError {
  return new AppError(
    'bad-bundle',
    `The ${what} is damaged: its SHA-256 is ${actual}, the manifest says ${expected}.`,
    HINT,
  );
}

/** SHA-256 in lower-case hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new AppError(
      'internal',
      'This page cannot check the model: the browser offers cryptography to secure pages only.',
      'Open the page over https, or from localhost.',
    );
  }
  return bytesToHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}
