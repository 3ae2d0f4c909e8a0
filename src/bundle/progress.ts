/** How far loading or downloading a bundle is. */
import { filesOf, purposeOf } from './files.ts';
import type { Manifest } from './manifest.ts';

export interface LoadProgress {
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** What is being loaded, in words. */
  readonly what: string;
}

type Report = (progress: LoadProgress) => void;
type OnLoaded = (path: string, loadedBytes: number) => void;

/** The total is that of the larger precision until a file outside it is read. */
export function progressOfLoading(manifest: Manifest, report: Report): OnLoaded {
  const half = filesOf(manifest, 'float16');
  const full = filesOf(manifest, 'float32');
  return progressOver(
    manifest,
    sizeOf(manifest, half) > sizeOf(manifest, full) ? half : full,
    report,
  );
}

/** The total is that of all files. */
export function progressOfDownload(manifest: Manifest, report: Report): OnLoaded {
  return progressOver(manifest, Object.keys(manifest.files), report);
}

/** Adds up the bytes of all files; what is loaded twice counts once. */
function progressOver(manifest: Manifest, paths: readonly string[], report: Report): OnLoaded {
  const expected = new Set(paths);
  const loaded = new Map<string, number>();
  let totalBytes = sizeOf(manifest, paths);
  let sum = 0;
  return (path, loadedBytes) => {
    if (!expected.has(path)) totalBytes += sizeOf(manifest, [path]);
    expected.add(path);
    const before = loaded.get(path) ?? 0;
    const now = Math.max(before, loadedBytes);
    loaded.set(path, now);
    sum += now - before;
    report({ loadedBytes: sum, totalBytes, what: purposeOf(manifest, path) });
  };
}

function sizeOf(manifest: Manifest, paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + manifest.files[path]!.bytes, 0);
}
