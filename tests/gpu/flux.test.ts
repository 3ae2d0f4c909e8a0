/**
 * The graphs of FLUX's own kind on WebGPU: every node must have a kernel there, and give what the
 * CPU gives. The models are those of tests/golden/flux.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { GraphBuilder, Precision } from '../../src/convert/graphs/builder.ts';
import { decoderGraph } from '../../src/convert/graphs/components/decoder.ts';
import { encoderGraph } from '../../src/convert/graphs/components/encoder.ts';
import { trunkGraph } from '../../src/convert/graphs/components/trunk.ts';
import { t5Graph } from '../../src/convert/graphs/components/t5.ts';
import { parseConfig, schemas } from '../../src/convert/checkpoint/configs.ts';
import type { Quantization } from '../../src/convert/quantize/precision-policy.ts';
import { planT5, planTrunk, storedSizes } from '../../src/convert/graphs/segments.ts';
import { deviation } from '../../cli/lib/deviation.ts';
import { ortCpu, ortWebGpu } from '../../src/node/ort.ts';
import { attentionFeeds, attentionGraph } from '../unit/convert/attention-graph.ts';
import {
  DataFiles,
  floatFeeds,
  halved,
  integerFeeds,
  openSmallModel,
} from '../unit/convert/flux-models.ts';
import { needsShaders, PRECISIONS, testDevice } from './support.ts';

const TIMEOUT = 240_000;

/** Relative L2 errors; half precision keeps 11 bits. */
const TOLERANCE = { float32: 1e-4, float16: 1e-2 } as const;

type Feeds = Parameters<DataFiles['runOnCpu']>[1];

/** Consecutive graphs in one precision, with their weights in `data`. */
type Graphs = (data: DataFiles, precision: Precision) => Promise<readonly GraphBuilder[]>;

/** @param given to the GPU, where it is not what the CPU is given, in float32 */
async function expectSame(
  precision: Precision,
  quantization: Quantization,
  graphs: Graphs,
  feeds: Feeds,
  output: string,
  given = feeds,
): Promise<void> {
  const reference = new DataFiles(quantization);
  const expected = await reference.runOnCpu(await graphs(reference, 'float32'), feeds);
  const data = new DataFiles(quantization);
  const device = await testDevice();
  const { ort } = await ortWebGpu();
  const actual = await data.run(await graphs(data, precision), given, ort, {
    executionProviders: [{ name: 'webgpu', device }],
    // A node without a kernel is an error.
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  device.destroy();
  const { relativeL2 } = deviation(actual[output]!, expected[output]!);
  expect(relativeL2).toBeLessThan(TOLERANCE[precision]);
}

describe.each(PRECISIONS)('%s', (precision) => {
  beforeEach((context) => needsShaders(precision, context));

  test(
    'AutoencoderKL decodes',
    async () => {
      const model = await openSmallModel('autoencoder-kl');
      const config = parseConfig(schemas.autoencoder, model.config, 'autoencoder-kl');
      const graphs: Graphs = async (data, precision) => [
        await decoderGraph(config, precision, data.weights('decoder.data', model.tensors)),
      ];
      const feeds = await floatFeeds(model, { latents: 'latents' });
      await expectSame(precision, 'f16', graphs, feeds, 'image');
    },
    TIMEOUT,
  );

  test.each(['autoencoder-kl', 'autoencoder-tiny'])(
    '%s encodes',
    async (name) => {
      const model = await openSmallModel(name);
      const config = parseConfig(schemas.autoencoder, model.config, name);
      const graphs: Graphs = async (data, precision) => [
        await encoderGraph(config, precision, data.weights('encoder.data', model.tensors)),
      ];
      const feeds = await floatFeeds(model, { image: 'image' });
      await expectSame(precision, 'f16', graphs, feeds, 'latents');
    },
    TIMEOUT,
  );

  // Quantized matrices are kernels of their own.
  test.each(['f16', 'mixed', 'int4'] as const)(
    'a trunk with guidance, in segments, %s',
    async (quantization) => {
      const model = await openSmallModel('flux-guided');
      const config = parseConfig(schemas.flux, model.config, 'flux-guided');
      const graphs: Graphs = async (data, precision) => {
        const conditioning = data.weights('conditioning.data', model.tensors);
        const segments = planTrunk(config, storedSizes(quantization), 50_000);
        expect(segments.length).toBeGreaterThan(1);
        const made: GraphBuilder[] = [];
        for (const segment of segments) {
          const weights = data.weights(`trunk.${made.length}.data`, model.tensors);
          made.push(await trunkGraph(config, 7, precision, weights, conditioning, segment));
        }
        return made;
      };
      const feeds = await floatFeeds(model, {
        latents: '0.latents',
        text: 'text',
        pooled: 'pooled',
        timestep: '0.timestep',
        guidance: '0.guidance',
        rotary_cos: 'rotary_cos',
        rotary_sin: 'rotary_sin',
      });
      await expectSame(precision, quantization, graphs, feeds, 'features');
    },
    TIMEOUT,
  );

  test(
    'attention of many heads, in parts',
    async () => {
      const { ort } = await ortCpu();
      const feeds = attentionFeeds(ort, 77, 24);
      const graphs: Graphs = async (data, precision) => [attentionGraph(data, 24, precision)];
      const given =
        precision === 'float32'
          ? feeds
          : Object.fromEntries(
              await Promise.all(
                Object.entries(feeds).map(async ([name, feed]) => [name, await halved(feed)]),
              ),
            );
      await expectSame(precision, 'none', graphs, feeds, 'attended', given as Feeds);
    },
    TIMEOUT,
  );
});

// In float32 on every device.
test(
  'T5 in segments',
  async () => {
    const model = await openSmallModel('t5');
    const config = parseConfig(schemas.t5, model.config, 't5');
    const graphs: Graphs = async (data) => {
      const bias = data.weights('t5.bias.data', model.tensors);
      const made: GraphBuilder[] = [];
      for (const blocks of planT5(config, storedSizes('f16'), 40_000)) {
        const weights = data.weights(`t5.${made.length}.data`, model.tensors);
        made.push(await t5Graph(config, 17, weights, bias, blocks));
      }
      expect(made.length).toBeGreaterThan(1);
      return made;
    };
    const feeds = await integerFeeds(model, ['input_ids']);
    await expectSame('float32', 'f16', graphs, feeds, 'text');
  },
  TIMEOUT,
);
