import type { Tensor } from 'onnxruntime-web/wasm';
import { MAX_ANCHORS } from '../../cache/settings.ts';
import type { DecodedPicture, DenoiseRun, Grid } from '../backend.ts';
import { outputOf, runSegments, runSession, type Tensors } from '../ort.ts';
import { pictureOf } from '../picture.ts';
import { AnchorRing } from '../ring.ts';
import { rotaryTables } from '../rotary.ts';
import { gpuFloats, type WebGpuConditioning, type WebGpuParts } from './backend.ts';
import { readFloats, storageBuffer } from './buffers.ts';

/** Bytes of a number. */
const BYTES = { float16: 2, float32: 4 } as const;

/** A run's tensors, every one in a GPU buffer of its own. */
interface RunTensors {
  readonly latents: Tensor;
  /** The same buffer as `latents`, shaped as the decoder takes it. */
  readonly grid: Tensor;
  readonly velocity: Tensor;
  readonly timestep: Tensor;
  readonly rotary_cos: Tensor;
  readonly rotary_sin: Tensor;
  readonly anchors: readonly Tensor[];
  readonly forecast: Tensor;
}

/**
 * Reserves a picture's buffers and uploads its noise.
 *
 * @throws AppError `out-of-memory` if they do not fit.
 */
export async function beginRun(
  parts: WebGpuParts,
  noise: Float32Array,
  grid: Grid,
  conditioning: WebGpuConditioning,
): Promise<DenoiseRun> {
  const { device } = parts.watch;
  const { axes } = parts.manifest.transformer;
  const tensors = await parts.watch.allocate(() => reserve(parts, grid, conditioning.textTokens));
  const rotary = rotaryTables(conditioning.textTokens, grid, axes);
  device.queue.writeBuffer(tensors.latents.gpuBuffer, 0, noise.slice());
  device.queue.writeBuffer(tensors.rotary_cos.gpuBuffer, 0, rotary.cos);
  device.queue.writeBuffer(tensors.rotary_sin.gpuBuffer, 0, rotary.sin);
  return new WebGpuRun(parts, tensors, conditioning.tensors);
}

function reserve(parts: WebGpuParts, grid: Grid, textTokens: number): RunTensors {
  const { ort, watch, precision, manifest } = parts;
  const { hidden, headWidth, latentWidth } = manifest.transformer;
  const imageTokens = grid.rows * grid.columns;
  const floats = (label: string, dims: readonly number[]) =>
    gpuFloats(ort, watch.device, label, dims);
  const features = (label: string) =>
    ort.Tensor.fromGpuBuffer(
      storageBuffer(watch.device, label, imageTokens * hidden * BYTES[precision]),
      { dataType: precision, dims: [1, imageTokens, hidden] },
    );
  const rotaryDims = [textTokens + imageTokens, headWidth / 2];
  const latents = floats('latents', [1, imageTokens, latentWidth]);
  return {
    latents,
    grid: ort.Tensor.fromGpuBuffer(latents.gpuBuffer, {
      dataType: 'float32',
      dims: [1, grid.rows, grid.columns, latentWidth],
    }),
    velocity: floats('velocity', [1, imageTokens, latentWidth]),
    timestep: floats('timestep', [1]),
    rotary_cos: floats('rotary cos', rotaryDims),
    rotary_sin: floats('rotary sin', rotaryDims),
    anchors: Array.from({ length: MAX_ANCHORS }, (_, slot) => features(`anchor ${slot}`)),
    forecast: features('forecast features'),
  };
}

/** One picture in the making. Nothing of it leaves the GPU but what is asked for by name. */
class WebGpuRun implements DenoiseRun {
  private readonly anchors: AnchorRing<Tensor>;
  private readonly inputs: Tensors;
  /** What `head` reads: the newest anchor or the forecast. */
  private features: Tensor | undefined;

  constructor(
    private readonly parts: WebGpuParts,
    private readonly tensors: RunTensors,
    conditioning: Tensors,
  ) {
    const { latents, timestep, rotary_cos, rotary_sin } = tensors;
    this.anchors = new AnchorRing(tensors.anchors);
    this.inputs = { ...conditioning, latents, timestep, rotary_cos, rotary_sin };
  }

  async runTrunk(sigma: number): Promise<void> {
    const { watch, sessions } = this.parts;
    this.setTimestep(sigma);
    await runSegments(watch, sessions.trunk, this.inputs, { features: this.anchors.next });
    this.anchors.advance();
    this.features = this.anchors.newest(1)[0];
  }

  async forecast(weights: readonly number[]): Promise<void> {
    const { forecast } = this.parts.kernels;
    const anchors = this.anchors.newest(weights.length).map((tensor) => tensor.gpuBuffer);
    forecast.setWeights(weights);
    await this.submit('forecast', (encoder) =>
      forecast.run(encoder, anchors, this.tensors.forecast.gpuBuffer),
    );
    this.features = this.tensors.forecast;
  }

  async head(sigma: number): Promise<void> {
    if (!this.features) throw new RangeError('the head needs features: run the trunk first');
    const { watch, sessions } = this.parts;
    const { velocity } = this.tensors;
    this.setTimestep(sigma);
    await runSession(
      watch,
      sessions.head,
      { ...this.inputs, features: this.features },
      { velocity },
    );
  }

  async eulerStep(deltaSigma: number): Promise<void> {
    const { eulerStep } = this.parts.kernels;
    const { latents, velocity } = this.tensors;
    eulerStep.setDeltaSigma(deltaSigma);
    await this.submit('euler step', (encoder) =>
      eulerStep.run(encoder, latents.gpuBuffer, velocity.gpuBuffer),
    );
  }

  settle(): Promise<void> {
    return this.parts.watch.settle();
  }

  async estimate(sigma: number): Promise<Float32Array> {
    const [latents, velocity] = await this.read(this.tensors.latents, this.tensors.velocity);
    return latents!.map((value, i) => value - sigma * velocity![i]!);
  }

  async latents(): Promise<Float32Array> {
    const [latents] = await this.read(this.tensors.latents);
    return latents!;
  }

  async decode(): Promise<DecodedPicture> {
    const { watch, sessions } = this.parts;
    const results = await runSession(watch, sessions.decoder, { latents: this.tensors.grid });
    const image = outputOf(results, 'image');
    const values = (await watch.run(() => image.getData())) as Float32Array;
    return pictureOf(values, image.dims[3]!, image.dims[2]!);
  }

  dispose(): void {
    for (const tensor of Object.values(this.tensors).flat()) tensor.gpuBuffer.destroy();
  }

  private setTimestep(sigma: number): void {
    const { queue } = this.parts.watch.device;
    queue.writeBuffer(this.tensors.timestep.gpuBuffer, 0, Float32Array.of(sigma));
  }

  private submit(label: string, record: (encoder: GPUCommandEncoder) => void): Promise<void> {
    const { device } = this.parts.watch;
    return this.parts.watch.run(() => {
      const encoder = device.createCommandEncoder({ label });
      record(encoder);
      device.queue.submit([encoder.finish()]);
      return Promise.resolve();
    });
  }

  private read(...tensors: readonly Tensor[]): Promise<Float32Array[]> {
    const { watch } = this.parts;
    return watch.run(() =>
      readFloats(
        watch.device,
        tensors.map(({ gpuBuffer, size }) => ({ buffer: gpuBuffer, length: size })),
      ),
    );
  }
}
