/**
 * The graphs of FLUX's own kind on WebGPU: every node must have a kernel there, and give what the
 * CPU gives. The models are those of tests/golden/flux.
 */
import { expect, test } from 'vitest';
import type { GraphBuilder } from '../../src/onnx/builder.ts';
import { decoderGraph } from '../../src/onnx/components/decoder.ts';
import { encoderGraph } from '../../src/onnx/components/encoder.ts';
import { trunkGraph } from '../../src/onnx/components/trunk.ts';
import { t5Graph } from '../../src/onnx/components/t5.ts';
import { parseConfig, schemas } from '../../src/onnx/configs.ts';
import { planT5, planTrunk, storedSizes } from '../../src/onnx/segments.ts';
import { deviation } from '../../tools/deviation.ts';
import { ortCpu, ortWebGpu } from '../../tools/node-ort.ts';
import { attentionFeeds, attentionGraph } from '../unit/onnx/attention-graph.ts';
import { DataFiles, floatFeeds, integerFeeds, openSmallModel } from '../unit/onnx/flux-models.ts';
import { testDevice } from './support.ts';

const TIMEOUT = 240_000;

async function expectSame(
  data: DataFiles,
  graphs: readonly GraphBuilder[],
  feeds: Parameters<DataFiles['runOnCpu']>[1],
  output: string,
): Promise<void> {
  const expected = await data.runOnCpu(graphs, feeds);
  const device = await testDevice();
  const { ort } = await ortWebGpu();
  const actual = await data.run(graphs, feeds, ort, {
    executionProviders: [{ name: 'webgpu', device }],
    // A node without a kernel is an error.
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  device.destroy();
  expect(deviation(actual[output]!, expected[output]!).relativeL2).toBeLessThan(1e-4);
}

test(
  'AutoencoderKL decodes',
  async () => {
    const model = await openSmallModel('autoencoder-kl');
    const config = parseConfig(schemas.autoencoder, model.config, 'autoencoder-kl');
    const data = new DataFiles('f16');
    const weights = data.weights('decoder.data', model.tensors);
    const graph = await decoderGraph(config, 'float32', weights);
    await expectSame(data, [graph], await floatFeeds(model, { latents: 'latents' }), 'image');
  },
  TIMEOUT,
);

test.each(['autoencoder-kl', 'autoencoder-tiny'])(
  '%s encodes',
  async (name) => {
    const model = await openSmallModel(name);
    const config = parseConfig(schemas.autoencoder, model.config, name);
    const data = new DataFiles('f16');
    const weights = data.weights('encoder.data', model.tensors);
    const graph = await encoderGraph(config, 'float32', weights);
    await expectSame(data, [graph], await floatFeeds(model, { image: 'image' }), 'latents');
  },
  TIMEOUT,
);

test(
  'a trunk with guidance, in segments',
  async () => {
    const model = await openSmallModel('flux-guided');
    const config = parseConfig(schemas.flux, model.config, 'flux-guided');
    const data = new DataFiles('f16');
    const conditioning = data.weights('conditioning.data', model.tensors);
    const graphs: GraphBuilder[] = [];
    for (const segment of planTrunk(config, storedSizes('f16'), 150_000)) {
      const weights = data.weights(`trunk.${graphs.length}.data`, model.tensors);
      graphs.push(await trunkGraph(config, 7, 'float32', weights, conditioning, segment));
    }
    expect(graphs.length).toBeGreaterThan(1);
    const feeds = await floatFeeds(model, {
      latents: '0.latents',
      text: 'text',
      pooled: 'pooled',
      timestep: '0.timestep',
      guidance: '0.guidance',
      rotary_cos: 'rotary_cos',
      rotary_sin: 'rotary_sin',
    });
    await expectSame(data, graphs, feeds, 'features');
  },
  TIMEOUT,
);

test(
  'T5 in segments',
  async () => {
    const model = await openSmallModel('t5');
    const config = parseConfig(schemas.t5, model.config, 't5');
    const data = new DataFiles('f16');
    const bias = data.weights('t5.bias.data', model.tensors);
    const graphs: GraphBuilder[] = [];
    for (const blocks of planT5(config, storedSizes('f16'), 40_000)) {
      const weights = data.weights(`t5.${graphs.length}.data`, model.tensors);
      graphs.push(await t5Graph(config, 17, weights, bias, blocks));
    }
    expect(graphs.length).toBeGreaterThan(1);
    await expectSame(data, graphs, await integerFeeds(model, ['input_ids']), 'text');
  },
  TIMEOUT,
);

test(
  'attention of many heads, in parts',
  async () => {
    const data = new DataFiles();
    const { ort } = await ortCpu();
    const feeds = attentionFeeds(ort, 77, 24);
    await expectSame(data, [attentionGraph(data, 24)], feeds, 'attended');
  },
  TIMEOUT,
);
