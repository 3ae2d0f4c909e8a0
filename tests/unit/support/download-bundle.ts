/** A bundle to download: small files, one with hashes of its parts, one without. */
import { createHash } from 'node:crypto';
import { type Manifest, PART_BYTES } from '../../../src/bundle/manifest.ts';
import { testBundleFiles, type TestFiles } from './bundle-folder.ts';

type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** The test bundle with these files in the place of its own, all of which have hashes of parts. */
export function bundleWith(changed: Files, withoutParts: readonly string[] = []): TestFiles {
  const made = testBundleFiles();
  const entries: Manifest['files'] = { ...made.manifest.files };
  for (const [path, bytes] of Object.entries(changed)) {
    const parts = Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, i) =>
      sha256(bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES)),
    );
    entries[path] = {
      bytes: bytes.length,
      sha256: sha256(bytes),
      ...(withoutParts.includes(path) ? {} : { parts }),
    };
    made.files.set(path, bytes);
  }
  return withManifest(made, { ...made.manifest, files: entries });
}

export function withManifest({ files }: TestFiles, manifest: Manifest): TestFiles {
  const text = new TextEncoder().encode(JSON.stringify(manifest));
  return { manifest, files: new Map([...files, ['manifest.json', text]]) };
}

/** Numbers that look random and are the same every time. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
