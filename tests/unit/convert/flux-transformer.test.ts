/**
 * Trunk and head of transformers that are not the embedded model's kind, against diffusers
 * (training/flux_goldens.py): guidance, blocks of one kind only, pictures that are no squares.
 */
import { describe, expect, test } from 'vitest';
import type { GraphBuilder, Precision } from '../../../src/convert/graphs/builder.ts';
import { headGraph } from '../../../src/convert/graphs/components/head.ts';
import { trunkGraph } from '../../../src/convert/graphs/components/trunk.ts';
import { parseConfig, schemas, type FluxConfig } from '../../../src/convert/checkpoint/configs.ts';
import type { Quantization } from '../../../src/convert/quantize/precision-policy.ts';
import { planTrunk, storedSizes, type TrunkSegment } from '../../../src/convert/graphs/segments.ts';
import { deviation } from '../../../cli/lib/deviation.ts';
import { DataFiles, floatFeeds, halved, openSmallModel, type SmallModel } from './flux-models.ts';

const MODELS = ['flux-guided', 'flux-single', 'flux-double', 'flux-plain'];
const CASES = [0, 1];

const configOf = (model: SmallModel): FluxConfig =>
  parseConfig(schemas.flux, model.config, 'config.json');

/** Names of goldens by names of inputs, with what the conditioning takes. */
function inputsOf(
  model: SmallModel,
  i: number,
  inputs: Readonly<Record<string, string>>,
): Record<string, string> {
  const named: Record<string, string> = { ...inputs, pooled: 'pooled', timestep: `${i}.timestep` };
  if (configOf(model).guidance_embeds) named['guidance'] = `${i}.guidance`;
  return named;
}

const trunkInputs = (model: SmallModel, i: number): Record<string, string> =>
  inputsOf(model, i, {
    latents: `${i}.latents`,
    text: 'text',
    rotary_cos: 'rotary_cos',
    rotary_sin: 'rotary_sin',
  });

/** Features of case `i` by a trunk cut in these segments. */
async function features(
  model: SmallModel,
  i: number,
  precision: Precision,
  quantization: Quantization,
  segments: readonly TrunkSegment[] = planTrunk(configOf(model), storedSizes(quantization)),
): Promise<Float32Array> {
  const data = new DataFiles(quantization);
  const textTokens = (await model.golden('text')).shape[1]!;
  const conditioning = data.weights('conditioning.data', model.tensors);
  const graphs: GraphBuilder[] = [];
  for (const [at, segment] of segments.entries()) {
    const weights = data.weights(`trunk.${at}.data`, model.tensors);
    const config = configOf(model);
    graphs.push(await trunkGraph(config, textTokens, precision, weights, conditioning, segment));
  }
  return (await data.runOnCpu(graphs, await floatFeeds(model, trunkInputs(model, i))))['features']!;
}

async function velocity(
  model: SmallModel,
  i: number,
  precision: Precision,
  quantization: Quantization,
): Promise<Float32Array> {
  const data = new DataFiles(quantization);
  const weights = data.weights('head.data', model.tensors);
  const conditioning = data.weights('conditioning.data', model.tensors);
  const graph = await headGraph(configOf(model), precision, weights, conditioning);
  const feeds = await floatFeeds(model, inputsOf(model, i, { features: `${i}.features` }));
  if (precision === 'float16') feeds['features'] = await halved(feeds['features']!);
  return (await data.runOnCpu([graph], feeds))['velocity']!;
}

const errorOf = (actual: Float32Array, expected: Float32Array): number =>
  deviation(actual, expected).relativeL2;

describe.each(MODELS)('%s', (name) => {
  test.each(CASES)('computes what PyTorch computes, case %i', async (i) => {
    const model = await openSmallModel(name);
    const golden = async (what: string) => (await model.golden(`${i}.${what}`)).data;
    const trunk = await features(model, i, 'float32', 'none');
    expect(errorOf(trunk, await golden('features'))).toBeLessThan(1e-4);
    const head = await velocity(model, i, 'float32', 'none');
    expect(errorOf(head, await golden('velocity'))).toBeLessThan(1e-4);
  });

  test('computes nearly the same in half precision', async () => {
    const model = await openSmallModel(name);
    const trunk = await features(model, 0, 'float16', 'f16');
    expect(errorOf(trunk, (await model.golden('0.features')).data)).toBeLessThan(1e-2);
    const head = await velocity(model, 0, 'float16', 'f16');
    expect(errorOf(head, (await model.golden('0.velocity')).data)).toBeLessThan(1e-2);
  });

  test.each([
    ['float32', 'none', 1],
    ['float32', 'none', 60_000],
    ['float16', 'f16', 1],
    ['float32', 'mixed', 20_000],
  ] as const)(
    'computes the same in segments: %s, %s, %i bytes each',
    async (precision, quantization, limit) => {
      const model = await openSmallModel(name);
      const config = configOf(model);
      const segments = planTrunk(config, storedSizes(quantization), limit);
      expect(segments.length).toBeGreaterThan(1);
      const whole = await features(model, 0, precision, quantization);
      const cut = await features(model, 0, precision, quantization, segments);
      expect(errorOf(cut, whole)).toBeLessThan(precision === 'float32' ? 1e-6 : 2e-3);
    },
  );
});

test('guidance changes what is computed', async () => {
  const model = await openSmallModel('flux-guided');
  const other: SmallModel = {
    ...model,
    golden: (name) => model.golden(name === '0.guidance' ? '1.guidance' : name),
  };
  const one = await features(model, 0, 'float32', 'none');
  expect(errorOf(await features(other, 0, 'float32', 'none'), one)).toBeGreaterThan(0.05);
});

test('weights of another model are refused by the tensor that tells', async () => {
  const model = await openSmallModel('flux-guided');
  const config = { ...configOf(model), guidance_embeds: true, joint_attention_dim: 99 };
  const data = new DataFiles();
  const weights = data.weights('trunk.data', model.tensors);
  await expect(trunkGraph(config, 7, 'float32', weights, weights)).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: expect.stringContaining('context_embedder.weight has shape') as string,
  });

  const unguided = await openSmallModel('flux-plain');
  const guided = { ...configOf(unguided), guidance_embeds: true };
  const plain = data.weights('plain.data', unguided.tensors);
  await expect(trunkGraph(guided, 7, 'float32', plain, plain)).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: expect.stringContaining('guidance_embedder.linear_1.weight') as string,
  });
});
