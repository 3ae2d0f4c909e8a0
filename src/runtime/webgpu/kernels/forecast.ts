/** The forecast kernel, shaders/forecast.wgsl: a weighted sum of anchors, on the GPU. */
import { compile, record } from '../../../gpu/kernel.ts';
import { type Precision, STORAGE } from '../../../gpu/precision.ts';

/** How many anchors the kernel binds. */
export const MOST_ANCHORS = 6;

/** Eight weights and the count, padded to a multiple of 16 bytes. */
const UNIFORM_BYTES = 48;
const COUNT_OFFSET = 32;

export class ForecastKernel {
  private constructor(
    private readonly device: GPUDevice,
    private readonly pipeline: GPUComputePipeline,
    private readonly uniform: GPUBuffer,
    private readonly vectorBytes: number,
    private readonly rowLimit: number,
  ) {}

  /**
   * @param source text of shaders/forecast.wgsl
   * @param precision of the numbers in anchors and output; `float16` needs `shader-f16`
   * @param rowLimit workgroups in a row of the dispatch; the device's own unless a test sets it
   */
  static async create(
    device: GPUDevice,
    source: string,
    precision: Precision,
    rowLimit = device.limits.maxComputeWorkgroupsPerDimension,
  ): Promise<ForecastKernel> {
    const { prelude, vectorBytes } = STORAGE[precision];
    const pipeline = await compile(device, `forecast ${precision}`, prelude + source);
    const uniform = device.createBuffer({
      label: 'forecast weights',
      size: UNIFORM_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    return new ForecastKernel(device, pipeline, uniform, vectorBytes, rowLimit);
  }

  /** Weights for the runs submitted after this: 1 to `MOST_ANCHORS`, the newest anchor's first. */
  setWeights(weights: readonly number[]): void {
    if (weights.length < 1 || weights.length > MOST_ANCHORS) {
      throw new RangeError(`a forecast takes 1 to ${MOST_ANCHORS} weights, not ${weights.length}`);
    }
    const bytes = new ArrayBuffer(UNIFORM_BYTES);
    new Float32Array(bytes).set(weights);
    new DataView(bytes).setUint32(COUNT_OFFSET, weights.length, true);
    this.device.queue.writeBuffer(this.uniform, 0, bytes);
  }

  /**
   * Records output = sum of weights[j] * anchors[j]. Buffers are equally long, multiples of 16
   * bytes; `anchors` are as many as weights were set, and `output` is none of them.
   */
  run(encoder: GPUCommandEncoder, anchors: readonly GPUBuffer[], output: GPUBuffer): void {
    const [newest] = anchors;
    if (!newest) throw new RangeError('a forecast needs an anchor');
    const slots = Array.from({ length: MOST_ANCHORS }, (_, slot) => anchors[slot] ?? newest);
    record(
      encoder,
      this.device,
      this.pipeline,
      [this.uniform, output, ...slots],
      output.size / this.vectorBytes,
      this.rowLimit,
    );
  }

  dispose(): void {
    this.uniform.destroy();
  }
}
