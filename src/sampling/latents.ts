/**
 * FLUX's packed latents: one token for every 2x2 latents, [rows * columns, channels * 4], where
 * entry c*4 + dy*2 + dx of a token is channel c of the latent dy down and dx across.
 */
import type { Grid } from '../runtime/backend.ts';
import type { Manifest } from '../bundle/manifest.ts';
import type { Seed } from '../shared/seed.ts';
import { gaussianNoise } from './noise.ts';

/** Latents on a side of a token. */
export const PATCH = 2;

/** Image tokens of a picture of this size, which must be whole. */
export function gridOf(
  { width, height }: { readonly width: number; readonly height: number },
  { autoencoder }: Manifest,
): Grid {
  const tokenSide = autoencoder.downscale * PATCH;
  return { rows: height / tokenSide, columns: width / tokenSide };
}

/** The noise of this seed, packed: the latents that diffusers' FluxPipeline starts from. */
export function startingLatents(
  seed: Seed,
  grid: Grid,
  channels: number,
): Float32Array<ArrayBuffer> {
  const count = channels * grid.rows * PATCH * grid.columns * PATCH;
  return packLatents(gaussianNoise(seed, count), channels, grid);
}

/**
 * [channels, rows * 2, columns * 2] to packed, as diffusers' `FluxPipeline._pack_latents`.
 */
export function packLatents(
  latents: Float32Array,
  channels: number,
  { rows, columns }: Grid,
): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(latents.length);
  forEachLatent({ rows, columns }, channels, (packedIndex, channel, y, x) => {
    packed[packedIndex] = latents[(channel * rows * PATCH + y) * columns * PATCH + x]!;
  });
  return packed;
}

/** Visits every latent with its place in the packed layout; y and x count latents. */
export function forEachLatent(
  { rows, columns }: Grid,
  channels: number,
  visit: (packedIndex: number, channel: number, y: number, x: number) => void,
): void {
  const width = channels * PATCH * PATCH;
  for (let y = 0; y < rows * PATCH; y++) {
    for (let x = 0; x < columns * PATCH; x++) {
      const token = (y >> 1) * columns + (x >> 1);
      const corner = (y & 1) * PATCH + (x & 1);
      for (let channel = 0; channel < channels; channel++) {
        visit(token * width + channel * PATCH * PATCH + corner, channel, y, x);
      }
    }
  }
}
