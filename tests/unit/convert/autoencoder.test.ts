/** Both autoencoders, both halves of each, against diffusers (training/flux_goldens.py). */
import { describe, expect, test } from 'vitest';
import type { AutoencoderConfig } from '../../../src/convert/checkpoint/autoencoder-config.ts';
import type { Precision } from '../../../src/convert/graphs/builder.ts';
import { decoderGraph } from '../../../src/convert/graphs/components/decoder.ts';
import { encoderGraph } from '../../../src/convert/graphs/components/encoder.ts';
import { parseConfig, schemas } from '../../../src/convert/checkpoint/configs.ts';
import {
  matrixStorage,
  type Quantization,
} from '../../../src/convert/quantize/precision-policy.ts';
import { deviation } from '../../../cli/lib/deviation.ts';
import { DataFiles, floatFeeds, openSmallModel } from './flux-models.ts';

const HALVES = {
  decoder: { make: decoderGraph, input: ['latents', 'latents'], output: ['image', 'decoded'] },
  encoder: { make: encoderGraph, input: ['image', 'image'], output: ['latents', 'encoded'] },
} as const;

/** Relative error of one half's output. */
async function errorOf(
  name: string,
  half: keyof typeof HALVES,
  precision: Precision,
  quantization: Quantization,
): Promise<number> {
  const model = await openSmallModel(name);
  const config: AutoencoderConfig = parseConfig(schemas.autoencoder, model.config, name);
  const { make, input, output } = HALVES[half];
  const data = new DataFiles(quantization);
  const graph = await make(config, precision, data.weights(`${half}.data`, model.tensors));
  const feeds = await floatFeeds(model, { [input[0]]: input[1] });
  const results = await data.runOnCpu([graph], feeds);
  const expected = (await model.golden(output[1])).data;
  return deviation(results[output[0]]!, expected).relativeL2;
}

describe.each(['autoencoder-kl', 'autoencoder-kl-quant', 'autoencoder-tiny'])('%s', (name) => {
  describe.each(['decoder', 'encoder'] as const)('%s', (half) => {
    test('computes what PyTorch computes', async () => {
      expect(await errorOf(name, half, 'float32', 'none')).toBeLessThan(1e-4);
    });

    // Weights are float16 numbers, so the same ones are stored.
    test.each(['f16', 'mixed'] as const)('computes the same from %s weights', async (stored) => {
      expect(await errorOf(name, half, 'float32', stored)).toBeLessThan(1e-4);
    });

    test('computes nearly the same in half precision', async () => {
      expect(await errorOf(name, half, 'float16', 'f16')).toBeLessThan(1e-2);
    });
  });
});

test.each(['encoder', 'decoder'])('the attention of an %s keeps half precision', (half) => {
  const module = `${half}.mid_block.attentions.0.to_out.0`;
  const stored = (['mixed', 'int4', 'int8', 'f16'] as const).map((one) =>
    matrixStorage(one, module),
  );
  expect(new Set(stored)).toEqual(new Set(['float16']));
});
