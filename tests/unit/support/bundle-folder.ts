import { createHash } from 'node:crypto';
import { filesOf } from '../../../src/bundle/files.ts';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { testManifest } from './manifest.ts';

export interface TestFiles {
  readonly manifest: Manifest;
  /** By path; the manifest's own text is under manifest.json. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
}

/** A whole bundle in memory, its files filled with different bytes of different lengths. */
export function testBundleFiles(): TestFiles {
  const empty = testManifest();
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const entries: Manifest['files'] = {};
  const paths = new Set([...filesOf(empty, 'float32'), ...filesOf(empty, 'float16')]);
  for (const [i, path] of [...paths].entries()) {
    const bytes = Uint8Array.from({ length: 1000 + i }, (_, n) => (n * 7 + i) % 256);
    files.set(path, bytes);
    entries[path] = {
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
  }
  const manifest = testManifest(entries);
  files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)));
  return { manifest, files };
}
