import type { Tensor } from 'onnxruntime-web/wasm';
import type { DecodedPicture, DenoiseRun, Grid, RunOptions } from '../backend.ts';
import { checkDeltas, checkOlder, noFeatures, noMark } from '../calls.ts';
import { outputOf, type Tensors } from '../ort/session.ts';
import type { ComponentName } from '../memory/parts.ts';
import { numbersOf } from '../../shared/half.ts';
import { pictureOf } from '../image.ts';
import { Ring } from '../ring.ts';
import { rotaryTables } from '../rotary.ts';
import type { WebGpuConditioning, WebGpuParts } from './parts.ts';
import { readFloats } from '../../gpu/buffers.ts';
import { RESULT_BYTES, rowsOf } from './kernels/gram.ts';
import { Readings } from './readings.ts';
import { reserve, type RunTensors } from './tensors.ts';

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
  options: RunOptions,
): Promise<DenoiseRun> {
  const { device } = parts.watch;
  const { axes } = parts.manifest.transformer;
  const tensors = await parts.watch.allocate(() => reserve(parts, grid, conditioning.textTokens));
  const rotary = rotaryTables(conditioning.textTokens, grid, axes);
  device.queue.writeBuffer(tensors.latents.gpuBuffer, 0, noise.slice());
  device.queue.writeBuffer(tensors.rotary_cos.gpuBuffer, 0, rotary.cos);
  device.queue.writeBuffer(tensors.rotary_sin.gpuBuffer, 0, rotary.sin);
  if (options.guidance !== undefined) {
    device.queue.writeBuffer(tensors.guidance.gpuBuffer, 0, Float32Array.of(options.guidance));
  }
  return new WebGpuRun(parts, tensors, conditioning.tensors, options);
}

/** One picture in the making. Nothing of it leaves the GPU but what is asked for by name. */
class WebGpuRun implements DenoiseRun {
  private readonly anchors: Ring<Tensor>;
  private readonly velocities: Ring<Tensor>;
  private readonly readings: Readings;
  private readonly inputs: Tensors;
  /** What `head` reads: the newest anchor or the forecast. */
  private features: Tensor | undefined;
  private marked = false;

  constructor(
    private readonly parts: WebGpuParts,
    private readonly tensors: RunTensors,
    conditioning: Tensors,
    private readonly options: RunOptions,
  ) {
    const { latents, timestep, rotary_cos, rotary_sin, guidance } = tensors;
    this.anchors = new Ring(tensors.anchors);
    this.velocities = new Ring(tensors.velocities);
    this.readings = new Readings(parts.watch);
    this.inputs = {
      ...conditioning,
      latents,
      timestep,
      rotary_cos,
      rotary_sin,
      ...(options.guidance !== undefined && { guidance }),
    };
  }

  async runTrunk(sigma: number): Promise<void> {
    this.setTimestep(sigma);
    await this.execute('trunk', this.inputs, { features: this.anchors.next });
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
    if (!this.features) throw noFeatures();
    this.setTimestep(sigma);
    await this.execute(
      'head',
      { ...this.inputs, features: this.features },
      { velocity: this.velocities.next },
    );
    this.velocities.advance();
  }

  async step(deltas: readonly number[]): Promise<void> {
    checkDeltas(deltas);
    const { eulerStep } = this.parts.kernels;
    const { latents } = this.tensors;
    for (const [j, velocity] of this.velocities.newest(deltas.length).entries()) {
      // Submitted one by one, since the kernel has one uniform for its delta.
      eulerStep.setDeltaSigma(deltas[j]!);
      await this.submit('step', (encoder) =>
        eulerStep.run(encoder, latents.gpuBuffer, velocity.gpuBuffer),
      );
    }
  }

  async mark(): Promise<void> {
    await this.copy(this.tensors.latents, this.tensors.marked);
    this.marked = true;
  }

  async rewind(): Promise<void> {
    if (!this.marked) throw noMark();
    await this.copy(this.tensors.marked, this.tensors.latents);
  }

  async gram(older: number): Promise<Float32Array> {
    checkOlder(older);
    const { gram } = this.parts.kernels;
    const anchors = this.anchors.newest(older + 1);
    const buffers = anchors.map((tensor) => tensor.gpuBuffer);
    const length = anchors[0]!.size;
    const columns = await this.readings.read('gram', RESULT_BYTES, (encoder, result) => {
      gram.setExtent(older, length);
      gram.run(encoder, buffers, length, result);
    });
    return rowsOf(columns, older);
  }

  async anchor(age: number): Promise<Float32Array> {
    const { gpuBuffer, size, type } = this.anchors.newest(age + 1)[age]!;
    const words = await this.readings.read('features', gpuBuffer.size, (encoder, result) =>
      encoder.copyBufferToBuffer(gpuBuffer, 0, result, 0, gpuBuffer.size),
    );
    if (type === 'float32') return words.slice(0, size);
    return numbersOf(new Uint16Array(words.buffer, 0, size));
  }

  settle(): Promise<void> {
    return this.parts.watch.settle();
  }

  async estimate(sigma: number): Promise<Float32Array> {
    const [newest] = this.velocities.newest(1);
    const [latents, velocity] = await this.read(this.tensors.latents, newest!);
    return latents!.map((value, i) => value - sigma * velocity![i]!);
  }

  async latents(): Promise<Float32Array> {
    const [latents] = await this.read(this.tensors.latents);
    return latents!;
  }

  async preview(sigma: number): Promise<DecodedPicture | undefined> {
    if (!this.parts.components.previews) return undefined;
    const { latents, estimated, estimatedGrid } = this.tensors;
    const { eulerStep } = this.parts.kernels;
    const [newest] = this.velocities.newest(1);
    await this.copy(latents, estimated);
    eulerStep.setDeltaSigma(-sigma);
    await this.submit('estimate', (encoder) =>
      eulerStep.run(encoder, estimated.gpuBuffer, newest!.gpuBuffer),
    );
    return this.picture('previewer', estimatedGrid);
  }

  decode(): Promise<DecodedPicture> {
    return this.picture('decoder', this.tensors.grid);
  }

  dispose(): void {
    this.readings.end();
    for (const tensor of Object.values(this.tensors).flat()) tensor.gpuBuffer.destroy();
  }

  private async picture(
    component: 'previewer' | 'decoder',
    latents: Tensor,
  ): Promise<DecodedPicture> {
    const image = outputOf(await this.execute(component, { latents }), 'image');
    const values = numbersOf(await this.parts.watch.run(() => image.getData()));
    return pictureOf(values, image.dims[3]!, image.dims[2]!, 'webgpu');
  }

  private execute(component: ComponentName, given: Tensors, outputs?: Tensors): Promise<Tensors> {
    return this.parts.components.run(component, given, outputs, this.options.onLoading);
  }

  private setTimestep(sigma: number): void {
    const { queue } = this.parts.watch.device;
    queue.writeBuffer(this.tensors.timestep.gpuBuffer, 0, Float32Array.of(sigma));
  }

  private copy(from: Tensor, to: Tensor): Promise<void> {
    return this.submit('copy', (encoder) =>
      encoder.copyBufferToBuffer(from.gpuBuffer, 0, to.gpuBuffer, 0, to.gpuBuffer.size),
    );
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
