/** Every file of a bundle is checked against the manifest before anything uses it. */
import { AppError } from '../errors.ts';
import type { Manifest } from './manifest.ts';

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
  if (actual !== expected.sha256) {
    throw new AppError(
      'bad-bundle',
      `The file ${path} is damaged: its SHA-256 is ${actual}, the manifest says ${expected.sha256}.`,
      HINT,
    );
  }
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

/** SHA-256 in lower-case hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new AppError(
      'internal',
      'This page cannot check the model: the browser offers cryptography to secure pages only.',
      'Open the page over https, or from localhost.',
    );
  }
  const digest = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
