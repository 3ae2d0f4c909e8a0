/** Checks a bundle on disk: every file's hash, and that ONNX Runtime takes every graph. */
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from '../../src/bundle/bundle.ts';
import type { GraphFiles, Manifest } from '../../src/bundle/manifest.ts';
import { verifyBlob } from '../../src/bundle/verify.ts';
import { AppError } from '../../src/shared/errors.ts';
import { openSession } from './deviation.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { ProgressLine } from './progress-line.ts';

/**
 * @returns how many graphs there are
 * @throws AppError `bad-bundle` that names the first file that is damaged or does not load.
 */
export async function verifyBundle(folder: string): Promise<number> {
  const bundle = await openBundleFolder(folder);
  await verifyHashes(bundle.manifest, folder);
  return loadGraphs(bundle);
}

async function verifyHashes({ files }: Manifest, folder: string): Promise<void> {
  const line = new ProgressLine();
  const all = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const [path, entry] of Object.entries(files)) {
    const blob = await opened(folder, path);
    await verifyBlob(path, blob, entry, (bytes) => {
      const done = (before + bytes) / all;
      line.show(done, `verifying ${path}, ${Math.floor(100 * done)} %`);
    });
    before += entry.bytes;
  }
}

async function opened(folder: string, path: string): Promise<Blob> {
  try {
    return await openAsBlob(join(folder, path));
  } catch (cause) {
    throw new AppError(
      'bad-bundle',
      `The file ${path} is missing, or cannot be read.`,
      'Convert the model again, or copy the bundle with all of its files.',
      { cause },
    );
  }
}

/** One after another, so that no more than the largest is in memory. */
async function loadGraphs(bundle: Bundle): Promise<number> {
  const graphs = graphsOf(bundle.manifest);
  const line = new ProgressLine();
  for (const [i, files] of graphs.entries()) {
    const session = await openSession(bundle, files);
    await session.release();
    line.show((i + 1) / graphs.length, `loaded ${files.graph}, ${i + 1} of ${graphs.length}`);
  }
  return graphs.length;
}

/** Each once: graphs of both precisions may be the same. */
function graphsOf({ components }: Manifest): GraphFiles[] {
  const all = Object.values(components).flatMap(({ float32, float16 }) =>
    [float32, float16].flat(),
  );
  return [...new Map(all.map((files) => [files.graph, files])).values()];
}
