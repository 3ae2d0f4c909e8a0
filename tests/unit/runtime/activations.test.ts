import { expect, test } from 'vitest';
import { activationBytes } from '../../../src/runtime/memory/activations.ts';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { testManifest } from '../support/manifest.ts';

const denoising = (
  autoencoder: Manifest['autoencoder'],
  latentWidth: number,
  side = 64,
): number => {
  const manifest = testManifest();
  return activationBytes(
    {
      ...manifest,
      autoencoder,
      transformer: { ...manifest.transformer, latentWidth },
      sizes: [{ width: side, height: side }],
    },
    'float32',
  ).denoise;
};

test('tokens are counted by the scale of the autoencoder and the packing of latents', () => {
  const usual = denoising({ latentChannels: 16, downscale: 8 }, 64);
  // Pictures of twice the side have as many tokens where latents are twice as coarse.
  expect(denoising({ latentChannels: 16, downscale: 16 }, 64, 128)).toBe(usual);
  expect(denoising({ latentChannels: 32, downscale: 8 }, 128)).toBe(usual);
  // Tokens of one latent each are four times as many.
  expect(denoising({ latentChannels: 16, downscale: 4 }, 64, 32)).toBe(usual);
  expect(denoising({ latentChannels: 64, downscale: 8 }, 64, 32)).toBe(usual);
});
