/** The Gram kernel, shaders/gram.wgsl: inner products of an anchor and its older differences. */
import { compile, recordPass, WORKGROUP_SIZE } from '../../../gpu/kernel.ts';
import { type Precision, STORAGE } from '../../../gpu/precision.ts';

/** How many anchors the kernel binds: the newest and those before it. */
export const MOST_VECTORS = 7;
const MOST_PRODUCTS = (MOST_VECTORS * (MOST_VECTORS + 1)) / 2;

/** What `run` writes: MOST_PRODUCTS float32 numbers, which `rowsOf` puts in order. */
export const RESULT_BYTES = 4 * MOST_PRODUCTS;

/** Enough to keep a large GPU's memory busy, and few enough that their sums are added in no time. */
const MOST_WORKGROUPS = 256;

/** Length, older anchors and workgroups, padded to a multiple of 16 bytes. */
const UNIFORM_BYTES = 16;

export class GramKernel {
  private constructor(
    private readonly device: GPUDevice,
    private readonly multiply: GPUComputePipeline,
    private readonly addUp: GPUComputePipeline,
    private readonly uniform: GPUBuffer,
    private readonly workgroupSums: GPUBuffer,
    private readonly products: GPUBuffer,
  ) {}

  /**
   * @param source text of shaders/gram.wgsl
   * @param precision of the numbers in anchors; `float16` needs `shader-f16`
   */
  static async create(
    device: GPUDevice,
    source: string,
    precision: Precision,
  ): Promise<GramKernel> {
    const code = STORAGE[precision].prelude + source;
    const multiply = await compile(device, `gram ${precision}`, code, 'multiply');
    const addUp = await compile(device, 'gram sums', code, 'add_up');
    const buffer = (label: string, size: number, usage: number) =>
      device.createBuffer({ label, size, usage });
    return new GramKernel(
      device,
      multiply,
      addUp,
      buffer('gram extent', UNIFORM_BYTES, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST),
      buffer('gram workgroup sums', MOST_WORKGROUPS * RESULT_BYTES, GPUBufferUsage.STORAGE),
      buffer('gram', RESULT_BYTES, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC),
    );
  }

  /**
   * What the runs submitted after this go over.
   *
   * @param older anchors before the newest, 0 to `MOST_VECTORS` - 1
   * @param length numbers in an anchor; what its buffer holds beyond them is left out
   */
  setExtent(older: number, length: number): void {
    if (!(Number.isInteger(older) && older >= 0 && older < MOST_VECTORS)) {
      throw new RangeError(`products of 0 to ${MOST_VECTORS - 1} older anchors, not ${older}`);
    }
    const extent = Uint32Array.of(length, older, workgroupsFor(length));
    this.device.queue.writeBuffer(this.uniform, 0, extent);
  }

  /**
   * Records the products of `anchors`, newest first, and their copy into the first
   * `RESULT_BYTES` of `result`. Anchors are as many and as long as was set.
   *
   * @param length the one that was set
   */
  run(
    encoder: GPUCommandEncoder,
    anchors: readonly GPUBuffer[],
    length: number,
    result: GPUBuffer,
  ): void {
    const [newest] = anchors;
    if (!newest) throw new RangeError('inner products need an anchor');
    const { device, uniform, workgroupSums, products } = this;
    const slots = Array.from({ length: MOST_VECTORS }, (_, slot) => anchors[slot] ?? newest);
    const workgroups = workgroupsFor(length);
    recordPass(encoder, device, this.multiply, [uniform, workgroupSums, ...slots], workgroups);
    recordPass(encoder, device, this.addUp, [uniform, workgroupSums, products], 1);
    encoder.copyBufferToBuffer(products, 0, result, 0, RESULT_BYTES);
  }

  dispose(): void {
    for (const buffer of [this.uniform, this.workgroupSums, this.products]) buffer.destroy();
  }
}

/** Depends on nothing but the length, so that sums are always added in the same order. */
function workgroupsFor(length: number): number {
  const vectors = Math.ceil(length / 4);
  return Math.max(1, Math.min(Math.ceil(vectors / WORKGROUP_SIZE), MOST_WORKGROUPS));
}

/**
 * The products of the newest anchor and `older` differences as `DenoiseRun.gram` gives them: the
 * upper triangle row by row, where the kernel writes it column by column.
 */
export function rowsOf(columns: Float32Array, older: number): Float32Array {
  const rows: number[] = [];
  for (let i = 0; i <= older; i++) {
    for (let j = i; j <= older; j++) rows.push(columns[(j * (j + 1)) / 2 + i]!);
  }
  return Float32Array.from(rows);
}
