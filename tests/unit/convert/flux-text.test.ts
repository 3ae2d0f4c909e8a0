/** Text encoders of other sizes than the embedded model's, against transformers (training/flux_goldens.py). */
import { describe, expect, test } from 'vitest';
import { clipGraph } from '../../../src/convert/graphs/components/clip.ts';
import { t5Graph } from '../../../src/convert/graphs/components/t5.ts';
import { parseConfig, schemas } from '../../../src/convert/checkpoint/configs.ts';
import type { Quantization } from '../../../src/convert/quantize/precision-policy.ts';
import { planT5, storedSizes } from '../../../src/convert/graphs/segments.ts';
import { deviation } from '../../../cli/lib/deviation.ts';
import { DataFiles, integerFeeds, openSmallModel, type SmallModel } from './flux-models.ts';

const t5Config = (model: SmallModel) => parseConfig(schemas.t5, model.config, 'config.json');

/** What T5 makes of the golden's ids, cut where `limit` bytes of weights are reached. */
async function t5Text(
  model: SmallModel,
  quantization: Quantization,
  limit?: number,
): Promise<{ text: Float32Array; segments: number; data: DataFiles }> {
  const config = t5Config(model);
  const data = new DataFiles(quantization);
  const tokens = (await model.golden('input_ids')).shape[1]!;
  const segments = planT5(config, storedSizes(quantization), limit);
  const bias = data.weights('t5.bias.data', model.tensors);
  const graphs = [];
  for (const [at, blocks] of segments.entries()) {
    const weights = data.weights(`t5.${at}.data`, model.tensors);
    graphs.push(await t5Graph(config, tokens, weights, bias, blocks));
  }
  const results = await data.runOnCpu(graphs, await integerFeeds(model, ['input_ids']));
  return { text: results['text']!, segments: segments.length, data };
}

describe('T5', () => {
  test('computes what PyTorch computes', async () => {
    const model = await openSmallModel('t5');
    const { text, segments } = await t5Text(model, 'none');
    expect(segments).toBe(1);
    expect(deviation(text, (await model.golden('text')).data).relativeL2).toBeLessThan(1e-4);
  });

  test.each([
    ['none', 1, 4],
    ['none', 70_000, 3],
    ['int8', 20_000, 4],
  ] as const)('computes the same in segments: %s, %i bytes each', async (stored, limit, count) => {
    const model = await openSmallModel('t5');
    const whole = await t5Text(model, stored);
    const cut = await t5Text(model, stored, limit);
    expect(cut.segments).toBe(count);
    expect(deviation(cut.text, whole.text).relativeL2).toBeLessThan(1e-6);
    // Stored once, in a file of its own.
    const tokens = whole.text.length / t5Config(model).d_model;
    const length = await cut.data.folder.size('t5.bias.data');
    expect(length).toBe(4 * t5Config(model).num_heads * tokens ** 2);
  });
});

test('CLIP computes what PyTorch computes', async () => {
  const model = await openSmallModel('clip');
  const config = parseConfig(schemas.clip, model.config, 'config.json');
  const data = new DataFiles();
  const tokens = (await model.golden('input_ids')).shape[1]!;
  const graph = await clipGraph(config, tokens, data.weights('clip.data', model.tensors));
  const feeds = await integerFeeds(model, ['input_ids', 'end']);
  const { pooled } = await data.runOnCpu([graph], feeds);
  expect(deviation(pooled!, (await model.golden('pooled')).data).relativeL2).toBeLessThan(1e-4);
});
