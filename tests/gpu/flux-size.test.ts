/**
 * A forecast step of FLUX.1-dev at its true size, a picture of 1024 x 1024: the forecast of 4096 x 3072
 * features from six anchors, the head with guidance, the Euler step; on the GPU from end to end, and
 * the same by the CPU. The weights are random.
 */
import { readFileSync } from 'node:fs';
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { expect, test } from 'vitest';
import { eulerStep } from '../../src/runtime/cpu/euler_step.ts';
import { forecast } from '../../src/runtime/cpu/forecast.ts';
import { outputOf, type Ort, runSession, type Tensors } from '../../src/runtime/ort/session.ts';
import { ortQueue } from '../../src/shared/serial.ts';
import { readFloats, storageBuffer } from '../../src/gpu/buffers.ts';
import { EulerStepKernel } from '../../src/runtime/webgpu/kernels/euler_step.ts';
import { ForecastKernel, MOST_ANCHORS } from '../../src/runtime/webgpu/kernels/forecast.ts';
import { floatsToHalves, halvesToFloats } from '../../src/shared/half.ts';
import type { GraphBuilder, Precision } from '../../src/convert/graphs/builder.ts';
import { headGraph } from '../../src/convert/graphs/components/head.ts';
import { parseConfig, schemas } from '../../src/convert/checkpoint/configs.ts';
import { noTensor, type TensorSource } from '../../src/convert/checkpoint/tensors.ts';
import { deviation } from '../../cli/lib/deviation.ts';
import { ortCpu, ortWebGpu } from '../../src/node/ort.ts';
import { FLUX } from '../unit/convert/flux-dev.ts';
import { DataFiles } from '../unit/convert/flux-models.ts';
import { filledBuffer, needsShaders, PRECISIONS, testDevice } from './support.ts';

/** FLUX.1-dev's; the head has none of its blocks. */
const CONFIG = parseConfig(schemas.flux, FLUX, 'FLUX.1-dev');
const HIDDEN = 3072;
const TOKENS = 4096;
const LATENTS = TOKENS * CONFIG.in_channels;
/** Hermite's of order 5 are of such a size. */
const WEIGHTS = [3.1, -4.2, 3.4, -1.9, 0.7, -0.1];
const DELTA_SIGMA = -0.031;

/** Numbers from -√3 to √3, of variance 1, always the same ones for a seed. */
function noise(count: number, seed: number): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(count);
  let state = seed + 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    numbers[i] = (state / 2 ** 31) * Math.sqrt(3);
  }
  return numbers;
}

/** The head's weights and biases, under which activations keep their size. */
class RandomHead implements TensorSource {
  readonly where = 'random';
  private readonly shapes = new Map<string, readonly number[]>();

  constructor() {
    this.linear('norm_out.linear', 2 * HIDDEN, HIDDEN);
    this.linear('proj_out', CONFIG.in_channels, HIDDEN);
    for (const [name, width] of [
      ['timestep', 256],
      ['guidance', 256],
      ['text', CONFIG.pooled_projection_dim],
    ] as const) {
      this.linear(`time_text_embed.${name}_embedder.linear_1`, HIDDEN, width);
      this.linear(`time_text_embed.${name}_embedder.linear_2`, HIDDEN, HIDDEN);
    }
  }

  names = () => this.shapes.keys();
  has = (name: string) => this.shapes.has(name);
  shape = (name: string) => this.shapes.get(name) ?? noTensor(this.where, name);
  storedBytes = () => 0;

  async rows(name: string, from: number, to: number): Promise<Float32Array> {
    const width = this.shape(name)[1] ?? 1;
    const scale = width > 1 ? width ** -0.5 : 0.1;
    const seed = 7919 * [...this.shapes.keys()].indexOf(name) + from;
    return Promise.resolve(noise((to - from) * width, seed).map((value) => scale * value));
  }

  private linear(module: string, outputs: number, inputs: number): void {
    this.shapes.set(`${module}.weight`, [outputs, inputs]).set(`${module}.bias`, [outputs]);
  }
}

const conditioning = ({ Tensor }: Ort): Tensors => ({
  pooled: new Tensor('float32', noise(768, 100), [1, 768]),
  timestep: new Tensor('float32', Float32Array.of(0.63), [1]),
  guidance: new Tensor('float32', Float32Array.of(3.5), [1]),
});

/** Features of several steps, which differ by little. */
function similarFeatures(count: number): Float32Array[] {
  const length = TOKENS * HIDDEN;
  const numbers = noise(length + count, 200);
  return Array.from({ length: count }, (_, age) => {
    const features = numbers.slice(0, length);
    for (let i = 0; i < length; i++) features[i]! += 0.1 * numbers[i + age + 1]!;
    return features;
  });
}

/**
 * Relative L2 errors: of one rounding, of the head's arithmetic, and of a small step with that. In
 * float16 the head's last matrix adds 3072 products up in half precision, where rounding every sum
 * leaves 2^-11 / √3 * √(3072 / 2) = 1.1e-2.
 */
const TOLERANCE = {
  float32: { features: 1e-6, velocity: 1e-4, latents: 1e-5 },
  float16: { features: 1e-3, velocity: 2e-2, latents: 1e-3 },
} as const;

test.for(PRECISIONS)(
  'a forecast step of FLUX.1-dev at 1024 x 1024 in %s',
  { timeout: 300_000 },
  async (precision, context) => {
    await needsShaders(precision, context);
    const tolerance = TOLERANCE[precision];
    const random = new RandomHead();
    const head = (data: DataFiles, precision: Precision) =>
      headGraph(
        CONFIG,
        precision,
        data.weights('head.data', random),
        data.weights('conditioning.data', random),
      );
    const anchors = similarFeatures(MOST_ANCHORS).map((features) =>
      precision === 'float16' ? halvesToFloats(floatsToHalves(features)) : features,
    );
    const latents = noise(LATENTS, 300);
    expect(WEIGHTS).toHaveLength(MOST_ANCHORS);

    const onGpu = new DataFiles('f16');
    const actual = await stepOnGpu(onGpu, await head(onGpu, precision), anchors, latents);

    const features = new Float32Array(TOKENS * HIDDEN);
    forecast(WEIGHTS, anchors, features);
    expect(deviation(actual.features, features).relativeL2).toBeLessThan(tolerance.features);
    const { ort } = await ortCpu();
    const feeds = {
      ...conditioning(ort),
      features: new ort.Tensor('float32', features, [1, TOKENS, HIDDEN]),
    };
    const onCpu = new DataFiles('f16');
    const velocity = (await onCpu.runOnCpu([await head(onCpu, 'float32')], feeds))['velocity']!;
    expect(deviation(actual.velocity, velocity).relativeL2).toBeLessThan(tolerance.velocity);
    eulerStep(latents, velocity, DELTA_SIGMA);
    expect(deviation(actual.latents, latents).relativeL2).toBeLessThan(tolerance.latents);
  },
);

interface Step {
  readonly features: Float32Array;
  readonly velocity: Float32Array;
  readonly latents: Float32Array;
}

/** As src/runtime/webgpu/run.ts does it: nothing leaves the GPU in between. */
async function stepOnGpu(
  data: DataFiles,
  graph: GraphBuilder,
  anchors: readonly Float32Array[],
  noisy: Float32Array,
): Promise<Step> {
  const device = await testDevice();
  const { ort } = await ortWebGpu();
  const { precision } = graph;
  const bytes = precision === 'float16' ? 2 : 4;
  try {
    const forecastKernel = await ForecastKernel.create(device, source('forecast'), precision);
    const eulerKernel = await EulerStepKernel.create(device, source('euler_step'));
    const features = storageBuffer(device, 'features', bytes * TOKENS * HIDDEN);
    const velocity = storageBuffer(device, 'velocity', 4 * LATENTS);
    const latents = filledBuffer(device, 'latents', noisy);
    const submit = (recordPass: (encoder: GPUCommandEncoder) => void): void => {
      const encoder = device.createCommandEncoder();
      recordPass(encoder);
      device.queue.submit([encoder.finish()]);
    };

    const buffers = anchors.map((values) =>
      filledBuffer(device, 'anchor', precision === 'float16' ? floatsToHalves(values) : values),
    );
    forecastKernel.setWeights(WEIGHTS);
    submit((encoder) => forecastKernel.run(encoder, buffers, features));
    const onGpu = (gpuBuffer: GPUBuffer, dataType: Precision, width: number): Tensor =>
      ort.Tensor.fromGpuBuffer(gpuBuffer, { dataType, dims: [1, TOKENS, width] });
    const session = await data.session(graph, ort, {
      executionProviders: [{ name: 'webgpu', device }],
    } as InferenceSession.SessionOptions);
    const given = { ...conditioning(ort), features: onGpu(features, precision, HIDDEN) };
    const results = await runSession(ortQueue, session, given, {
      velocity: onGpu(velocity, 'float32', CONFIG.in_channels),
    });
    expect(outputOf(results, 'velocity').gpuBuffer).toBe(velocity);
    eulerKernel.setDeltaSigma(DELTA_SIGMA);
    submit((encoder) => eulerKernel.run(encoder, latents, velocity));

    const [words, found, stepped] = await readFloats(device, [
      { buffer: features, length: (bytes * TOKENS * HIDDEN) / 4 },
      { buffer: velocity, length: LATENTS },
      { buffer: latents, length: LATENTS },
    ]);
    await session.release();
    const forecasted =
      precision === 'float16' ? halvesToFloats(new Uint16Array(words!.buffer)) : words!;
    return { features: forecasted, velocity: found!, latents: stepped! };
  } finally {
    device.destroy();
  }
}

const source = (kernel: string): string => readFileSync(`shaders/${kernel}.wgsl`, 'utf8');
