/** How far loading a bundle is. */
import { filesOf, purposeOf } from './files.ts';
import type { Manifest } from './manifest.ts';

export interface LoadProgress {
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** What is being loaded, in words. */
  readonly what: string;
}

/**
 * Adds up the bytes of all files. The total is that of the larger precision until a file outside
 * it is read; a file that is read twice counts once.
 */
export function progressOver(
  manifest: Manifest,
  report: (progress: LoadProgress) => void,
): (path: string, loadedBytes: number) => void {
  const size = (paths: Iterable<string>): number => {
    let bytes = 0;
    for (const path of paths) bytes += manifest.files[path]!.bytes;
    return bytes;
  };
  const half = filesOf(manifest, 'float16');
  const full = filesOf(manifest, 'float32');
  const expected = new Set(size(half) > size(full) ? half : full);
  const loaded = new Map<string, number>();
  return (path, loadedBytes) => {
    expected.add(path);
    loaded.set(path, Math.max(loadedBytes, loaded.get(path) ?? 0));
    let sum = 0;
    for (const bytes of loaded.values()) sum += bytes;
    report({ loadedBytes: sum, totalBytes: size(expected), what: purposeOf(manifest, path) });
  };
}
