import type { Manifest } from '../../../src/bundle/manifest.ts';

type BothPrecisions = Manifest['components']['clip'];
const both = (name: string): BothPrecisions => ({
  float32: { graph: `${name}.float32.onnx`, data: [`${name}.data`] },
  float16: { graph: `${name}.float16.onnx`, data: [`${name}.data`] },
});

const inOneSegment = (name: string): Manifest['components']['trunk'] => ({
  float32: [both(name).float32],
  float16: [both(name).float16],
});

/** A manifest as the converter writes it, for a model whose pictures have 32 or 64 pixels a side. */
export function testManifest(files: Manifest['files'] = {}): Manifest {
  return {
    format: 'hicache-bundle',
    version: 1,
    title: 'test model',
    licence: 'CC0',
    source: '',
    examples: ['a big fox on a blue background'],
    transformer: {
      hidden: 64,
      heads: 2,
      headWidth: 32,
      axes: [8, 12, 12],
      doubleBlocks: 1,
      singleBlocks: 1,
      latentWidth: 64,
      textWidth: 16,
      pooledWidth: 16,
      guidance: false,
    },
    text: { t5Tokens: 24, clipTokens: 24 },
    autoencoder: { latentChannels: 16, downscale: 8 },
    scheduler: {
      shift: 1,
      useDynamicShifting: false,
      baseShift: 0.5,
      maxShift: 1.15,
      baseImageTokens: 256,
      maxImageTokens: 4096,
    },
    defaults: { steps: 50 },
    sizes: [
      { width: 32, height: 32 },
      { width: 64, height: 32 },
    ],
    preview: {
      factors: Array.from(
        { length: 16 },
        (_, channel) => [channel === 0 ? 1 : 0, 0, 0] as [number, number, number],
      ),
      bias: [0, 0.5, 1],
    },
    components: {
      t5: inOneSegment('t5'),
      clip: both('clip'),
      trunk: inOneSegment('trunk'),
      head: both('head'),
      decoder: both('decoder'),
    },
    tokenizers: { t5: 'tokenizer_2/tokenizer.json', clip: 'tokenizer/tokenizer.json' },
    files,
  };
}
