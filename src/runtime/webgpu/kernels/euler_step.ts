/** The Euler step kernel, shaders/euler_step.wgsl: latents += deltaSigma * velocity. */
import { compile, record } from '../../../gpu/kernel.ts';

const VECTOR_BYTES = 16;

export class EulerStepKernel {
  private constructor(
    private readonly device: GPUDevice,
    private readonly pipeline: GPUComputePipeline,
    private readonly uniform: GPUBuffer,
    private readonly rowLimit: number,
  ) {}

  /**
   * @param source text of shaders/euler_step.wgsl
   * @param rowLimit workgroups in a row of the dispatch; the device's own unless a test sets it
   */
  static async create(
    device: GPUDevice,
    source: string,
    rowLimit = device.limits.maxComputeWorkgroupsPerDimension,
  ): Promise<EulerStepKernel> {
    const pipeline = await compile(device, 'euler step', source);
    const uniform = device.createBuffer({
      label: 'euler step delta sigma',
      size: 16,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    return new EulerStepKernel(device, pipeline, uniform, rowLimit);
  }

  /** The step for the runs submitted after this. */
  setDeltaSigma(deltaSigma: number): void {
    this.device.queue.writeBuffer(this.uniform, 0, new Float32Array([deltaSigma]));
  }

  /** Records the step in place. Both buffers are float32, equally long, multiples of 16 bytes. */
  run(encoder: GPUCommandEncoder, latents: GPUBuffer, velocity: GPUBuffer): void {
    record(
      encoder,
      this.device,
      this.pipeline,
      [this.uniform, latents, velocity],
      latents.size / VECTOR_BYTES,
      this.rowLimit,
    );
  }

  dispose(): void {
    this.uniform.destroy();
  }
}
