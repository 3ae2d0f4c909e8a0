/** `hicache costs`: what the cache's own kernels cost on this GPU, for a model of FLUX.1's size. */
import process from 'node:process';
import type { Tensor } from 'onnxruntime-web/wasm';
import { storageBuffer } from '../../src/gpu/buffers.ts';
import { precisionOf } from '../../src/gpu/device.ts';
import { ForecastKernel, MOST_ANCHORS } from '../../src/runtime/webgpu/kernels/forecast.ts';
import { GramKernel, MOST_VECTORS, RESULT_BYTES } from '../../src/runtime/webgpu/kernels/gram.ts';
import { openDevice, type OpenDevice } from '../../src/runtime/webgpu/open.ts';
import type { BackendHost } from '../../src/runtime/host.ts';
import type { Manifest } from '../../src/bundle/manifest.ts';
import { AppError } from '../../src/shared/errors.ts';
import { GraphBuilder } from '../../src/convert/graphs/builder.ts';
import { median } from '../../src/shared/statistics.ts';
import { readArguments } from '../lib/args.ts';
import { callFlops } from '../lib/flops.ts';
import { nodeHost } from '../../src/node/ort.ts';

const HELP = `Usage: hicache costs

Times, on the GPU that WebGPU finds here and at the size of FLUX.1 at 1024x1024 (4096 image tokens of
3072 features), a forecast from six anchors, the verification of one compute step, a plain copy of the
bytes that verification reads, and one of the many matrix products of a compute step, from which a
whole one is reckoned.
`;

/** FLUX.1 at 1024x1024. */
const IMAGE_TOKENS = 4096;
const FLUX: Pick<Manifest, 'transformer' | 'text'> = {
  transformer: {
    hidden: 3072,
    heads: 24,
    headWidth: 128,
    axes: [16, 56, 56],
    doubleBlocks: 19,
    singleBlocks: 38,
    latentWidth: 64,
    textWidth: 4096,
    pooledWidth: 768,
    guidance: true,
  },
  text: { t5Tokens: 512, clipTokens: 77 },
};
const { hidden: HIDDEN } = FLUX.transformer;

/** Rows of the product that is timed: enough to fill a GPU, few enough for one in software. */
const ROWS = 128;
const BLOCK = 32;
const REPETITIONS = 3;

export interface Costs {
  /** Seconds each, median. */
  readonly forecast: number;
  readonly verification: number;
  readonly copy: number;
  readonly product: number;
  /** A compute step at the speed of that product. */
  readonly computeStep: number;
}

export async function costsCommand(args: string[]): Promise<void> {
  const { values, positionals } = readArguments(args, []);
  if (positionals.length > 0) {
    throw new AppError('bad-request', `costs takes no "${positionals[0]}".`, HELP);
  }
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const host = await nodeHost();
  const open = await openDevice(host, FLUX.transformer.headWidth);
  try {
    const costs = await measureCosts(host, open);
    process.stdout.write(`${describe(costs, open).join('\n')}\n`);
  } finally {
    open.watch.device.destroy();
  }
}

function describe(
  { forecast, verification, copy, product, computeStep }: Costs,
  { name, watch: { device } }: OpenDevice,
): string[] {
  const milliseconds = (seconds: number): string => `${(1000 * seconds).toPrecision(3)} ms`;
  const share = (seconds: number): string => `${((100 * seconds) / computeStep).toPrecision(2)} %`;
  return [
    `${name}, ${precisionOf(device)}, ${IMAGE_TOKENS} tokens of ${HIDDEN} features`,
    `forecast from ${MOST_ANCHORS} anchors  ${milliseconds(forecast)}, ${share(forecast)} of a compute step`,
    `verification (gram)      ${milliseconds(verification)}, ${share(verification)} of a compute step`,
    `copy of the same bytes   ${milliseconds(copy)}; verification takes ${(verification / copy).toPrecision(3)} times that`,
    `product [${ROWS}, ${HIDDEN}] x [${HIDDEN}, ${HIDDEN}], 4 bits  ${milliseconds(product)}`,
    `compute step, reckoned   ${computeStep.toPrecision(3)} s`,
  ];
}

export async function measureCosts(host: BackendHost, open: OpenDevice): Promise<Costs> {
  const { device } = open.watch;
  const precision = precisionOf(device);
  const length = IMAGE_TOKENS * HIDDEN;
  const bytes = length * (precision === 'float16' ? 2 : 4);
  const anchors = Array.from({ length: MOST_VECTORS }, (_, i) =>
    storageBuffer(device, `anchor ${i}`, bytes),
  );
  const target = storageBuffer(device, 'target', bytes);
  const result = storageBuffer(device, 'products', RESULT_BYTES);
  const forecast = await ForecastKernel.create(device, host.shaders.forecast, precision);
  const gram = await GramKernel.create(device, host.shaders.gram, precision);
  try {
    forecast.setWeights(Array.from({ length: MOST_ANCHORS }, () => 1 / MOST_ANCHORS));
    gram.setExtent(MOST_VECTORS - 1, length);
    const product = await timeProduct(open);
    const productFlops = 2 * ROWS * HIDDEN * HIDDEN;
    return {
      forecast: await timed(device, (encoder) =>
        forecast.run(encoder, anchors.slice(0, MOST_ANCHORS), target),
      ),
      verification: await timed(device, (encoder) => gram.run(encoder, anchors, length, result)),
      copy: await timed(device, (encoder) => {
        for (const anchor of anchors) encoder.copyBufferToBuffer(anchor, 0, target, 0, bytes);
      }),
      product,
      computeStep: (product * callFlops(FLUX, IMAGE_TOKENS).trunk) / productFlops,
    };
  } finally {
    forecast.dispose();
    gram.dispose();
    for (const buffer of [...anchors, target, result]) buffer.destroy();
  }
}

/** Median seconds from submitting to being done; the first one, which warms up, is left out. */
async function timed(
  device: GPUDevice,
  record: (encoder: GPUCommandEncoder) => void,
): Promise<number> {
  return repeated(async () => {
    const encoder = device.createCommandEncoder({ label: 'cost' });
    record(encoder);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  });
}

async function repeated(job: () => Promise<void>): Promise<number> {
  await job();
  const seconds: number[] = [];
  for (let i = 0; i < REPETITIONS; i++) {
    const started = performance.now();
    await job();
    seconds.push((performance.now() - started) / 1000);
  }
  return median(seconds);
}

/** A linear layer of a block as ONNX Runtime runs it, with 4-bit weights. */
async function timeProduct({ ort, watch }: OpenDevice): Promise<number> {
  const { device } = watch;
  const precision = precisionOf(device);
  const graph = new GraphBuilder('product', precision);
  const blocks = HIDDEN / BLOCK;
  const inputs = [
    graph.input('x', precision, [ROWS, HIDDEN]),
    graph.input('codes', 'uint8', [HIDDEN, blocks, BLOCK / 2]),
    graph.input('scales', precision, [HIDDEN * blocks]),
  ];
  const attributes = { K: HIDDEN, N: HIDDEN, bits: 4, block_size: BLOCK };
  graph.output('y', precision, [ROWS, HIDDEN], graph.op('MatMulNBits', inputs, attributes));
  const session = await watch.run(() =>
    ort.InferenceSession.create(graph.encode(), {
      executionProviders: [{ name: 'webgpu', device, validationMode: 'wgpuOnly' }],
    }),
  );
  const number = precision === 'float16' ? 2 : 4;
  const tensor = (label: string, type: 'uint8' | typeof precision, dims: readonly number[]) => {
    const size = dims.reduce((product, length) => product * length, type === 'uint8' ? 1 : number);
    return ort.Tensor.fromGpuBuffer(storageBuffer(device, label, size), { dataType: type, dims });
  };
  const feeds: Record<string, Tensor> = {
    x: tensor('x', precision, [ROWS, HIDDEN]),
    codes: tensor('codes', 'uint8', [HIDDEN, blocks, BLOCK / 2]),
    scales: tensor('scales', precision, [HIDDEN * blocks]),
  };
  const output = tensor('y', precision, [ROWS, HIDDEN]);
  try {
    return await repeated(async () => {
      await watch.run(() => session.run(feeds, { y: output }));
      await device.queue.onSubmittedWorkDone();
    });
  } finally {
    await watch.run(() => session.release());
    for (const { gpuBuffer } of [...Object.values(feeds), output]) gpuBuffer.destroy();
  }
}
