/** The run of a page again in Node, on the CPU. */
import type { Manifest } from '../../src/bundle/manifest.ts';
import { generate } from '../../src/sampling/generate.ts';
import type { GenerateStats } from '../../src/sampling/stats.ts';
import { DEFAULT_BUNDLE, startEngine } from '../../cli/lib/engine.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';

export function settingsAt({ cache }: GenerateStats, step: number) {
  return cache.findLast(({ fromStep }) => fromStep <= step)!.settings;
}

/**
 * RGBA pixels of the built-in model for the same request, with the same settings at the same steps.
 *
 * @param change what the page was made to read in place of the model's manifest
 */
export async function replayOnCpu(
  stats: GenerateStats,
  change: (manifest: Manifest) => Manifest = (manifest) => manifest,
): Promise<Uint8ClampedArray> {
  const bundle = await openBundleFolder(DEFAULT_BUNDLE);
  const engine = await startEngine({ ...bundle, manifest: change(bundle.manifest) }, 'cpu');
  let step = 0;
  try {
    const { prompt, seed, steps, guidance, sampler, width, height } = stats;
    const cache = settingsAt(stats, 0);
    const request = {
      ...{ prompt, seed, steps, sampler, width, height, cache, preview: false },
      ...(guidance !== null && { guidance }),
    };
    const result = await generate(engine, request, {
      settings: () => settingsAt(stats, step++),
      signal: new AbortController().signal,
      onEvent: () => undefined,
    });
    return result.pixels;
  } finally {
    await engine.backend.dispose();
  }
}
