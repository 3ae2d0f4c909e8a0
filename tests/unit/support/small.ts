/** Pictures smaller than a model offers, for GPUs in software, which take seconds for a step. */
import type { Bundle } from '../../../src/bundle/bundle.ts';
import type { Manifest } from '../../../src/bundle/manifest.ts';

/** In pixels. What such a picture shows matters little; the same graphs and kernels make it. */
export const SMALL = { width: 64, height: 64 } as const;

/** The same model, offering such pictures and no other. */
export function offeringSmall(bundle: Bundle): Bundle {
  return { ...bundle, manifest: withSmallSize(bundle.manifest) };
}

export function withSmallSize(manifest: Manifest): Manifest {
  return { ...manifest, sizes: [SMALL] };
}
