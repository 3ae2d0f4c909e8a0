/** The quantize kernel, shaders/quantize.wgsl, as the quantizer of a conversion. */
import { AppError } from '../../shared/errors.ts';
import {
  type Bits,
  BLOCK,
  checkedNorm,
  dequantizeRows,
  type QuantizedRows,
  SHRINKS,
} from './quantize.ts';
import { cpuQuantizer, type Quantizer } from './quantizer.ts';
import { SerialQueue } from '../../shared/serial.ts';
import { stagingBuffer, storageBuffer } from '../../gpu/buffers.ts';
import { compile, recordPass, WORKGROUP_SIZE } from '../../gpu/kernel.ts';
import type { DeviceWatch } from '../../gpu/watch.ts';

/**
 * Blocks in a dispatch, 4 million weights: less than a billion operations, as systems end commands
 * that take seconds. Even, so that no two dispatches share a word of scales.
 */
const MOST_BLOCKS = 2 ** 17;

/** One is filled and read back while the other is computed. */
const SLOTS = 2;

const BLOCK_BYTES = 4 * BLOCK;
const UNIFORM_BYTES = 16;

type Pipelines = Readonly<Record<Bits, GPUComputePipeline>>;

/**
 * A quantizer on the watched device, which stays its caller's.
 *
 * @param source text of shaders/quantize.wgsl
 * @param mostBlocks in a dispatch, even; the usual number unless a test sets it
 * @throws AppError `out-of-memory` if there is no room for its buffers, and `no-webgpu` if the GPU
 *   computes wrong.
 */
export async function createGpuQuantizer(
  watch: DeviceWatch,
  source: string,
  mostBlocks = MOST_BLOCKS,
): Promise<Quantizer> {
  const { device } = watch;
  const most = Math.min(
    mostBlocks,
    Math.floor(device.limits.maxStorageBufferBindingSize / BLOCK_BYTES),
  );
  const pipelines = {
    4: await compile(device, 'quantize 4 bits', constants(4) + source),
    8: await compile(device, 'quantize 8 bits', constants(8) + source),
  };
  const slots = await watch.allocate(() =>
    Array.from({ length: SLOTS }, () => new Slot(watch, pipelines, most)),
  );
  const quantizer = new GpuQuantizer(watch, slots, most);
  try {
    await prove(quantizer);
  } catch (error) {
    quantizer.dispose();
    throw error;
  }
  return quantizer;
}

/** Goes before the shader's text. */
function constants(bits: Bits): string {
  const shrinks = SHRINKS[bits];
  return `const BITS = ${bits}u;
const VECTORS = ${BLOCK / 4}u;
const SHRINK_COUNT = ${shrinks.length}u;
const SHRINKS = array<f32, ${shrinks.length}>(${shrinks.join(', ')});
`;
}

class GpuQuantizer implements Quantizer {
  private next = 0;

  constructor(
    private readonly watch: DeviceWatch,
    private readonly slots: readonly Slot[],
    private readonly mostBlocks: number,
  ) {}

  async quantize(
    weights: Float32Array,
    rows: number,
    columns: number,
    bits: Bits,
  ): Promise<QuantizedRows> {
    const squaredNorm = checkedNorm(weights, rows, columns, bits);
    const blocks = weights.length / BLOCK;
    const packed = new Uint8Array((weights.length * bits) / 8);
    const scales = new Uint16Array(blocks);
    const pieces: Promise<number>[] = [];
    for (let from = 0; from < blocks; from += this.mostBlocks) {
      const to = Math.min(blocks, from + this.mostBlocks);
      const slot = this.slots[this.next++ % SLOTS]!;
      pieces.push(slot.quantize({ weights, from, to, bits, packed, scales }));
    }
    const errors = await Promise.all(pieces);
    await this.watch.settle();
    return { packed, scales, squaredError: errors.reduce((a, b) => a + b, 0), squaredNorm };
  }

  dispose(): void {
    for (const slot of this.slots) slot.dispose();
  }
}

/** Blocks `from` to `to` (exclusive) of the weights, and where all results go. */
interface Piece {
  readonly weights: Float32Array;
  readonly from: number;
  readonly to: number;
  readonly bits: Bits;
  readonly packed: Uint8Array;
  readonly scales: Uint16Array;
}

/** Buffers for one dispatch at a time. */
class Slot {
  private readonly queue = new SerialQueue();
  private readonly extent: GPUBuffer;
  private readonly weights: GPUBuffer;
  private readonly packed: GPUBuffer;
  private readonly scales: GPUBuffer;
  private readonly errors: GPUBuffer;
  private readonly staging: GPUBuffer;

  constructor(
    private readonly watch: DeviceWatch,
    private readonly pipelines: Pipelines,
    mostBlocks: number,
  ) {
    const { device } = watch;
    const most = sizesOf(mostBlocks, 8);
    this.extent = device.createBuffer({
      label: 'quantize extent',
      size: UNIFORM_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.weights = storageBuffer(device, 'quantize weights', mostBlocks * BLOCK_BYTES);
    this.packed = storageBuffer(device, 'quantize codes', most.packed);
    this.scales = storageBuffer(device, 'quantize scales', most.scales);
    this.errors = storageBuffer(device, 'quantize errors', most.errors);
    const bytes = most.packed + most.scales + most.errors;
    this.staging = stagingBuffer(device, 'quantize read back', bytes);
  }

  /** Fills in the piece's codes and scales; the squared error. */
  quantize(piece: Piece): Promise<number> {
    return this.queue.run(() => this.watch.guard(this.dispatch(piece)));
  }

  private async dispatch({ weights, from, to, bits, packed, scales }: Piece): Promise<number> {
    const { device } = this.watch;
    const blocks = to - from;
    device.queue.writeBuffer(this.extent, 0, Uint32Array.of(blocks));
    device.queue.writeBuffer(this.weights, 0, weights, from * BLOCK, blocks * BLOCK);

    const sizes = sizesOf(blocks, bits);
    const encoder = device.createCommandEncoder({ label: 'quantize' });
    const buffers = [this.extent, this.weights, this.packed, this.scales, this.errors];
    recordPass(encoder, device, this.pipelines[bits], buffers, sizes.workgroups);
    const { staging } = this;
    const scalesAt = sizes.packed;
    const errorsAt = scalesAt + sizes.scales;
    encoder.copyBufferToBuffer(this.packed, 0, staging, 0, sizes.packed);
    encoder.copyBufferToBuffer(this.scales, 0, staging, scalesAt, sizes.scales);
    encoder.copyBufferToBuffer(this.errors, 0, staging, errorsAt, sizes.errors);
    device.queue.submit([encoder.finish()]);

    const bytes = errorsAt + sizes.errors;
    await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    try {
      const mapped = staging.getMappedRange(0, bytes);
      packed.set(new Uint8Array(mapped, 0, sizes.packed), (from * BLOCK * bits) / 8);
      scales.set(new Uint16Array(mapped, scalesAt, blocks), from);
      return new Float32Array(mapped, errorsAt).reduce((sum, error) => sum + error, 0);
    } finally {
      staging.unmap();
    }
  }

  /** Once what is under way is done: a mapping that is broken off means a lost device. */
  dispose(): void {
    void this.queue.run(async () => {
      const { extent, weights, packed, scales, errors, staging } = this;
      for (const buffer of [extent, weights, packed, scales, errors, staging]) buffer.destroy();
    });
  }
}

/** Workgroups of a dispatch, and bytes of its results, each a whole number of words. */
function sizesOf(
  blocks: number,
  bits: Bits,
): { workgroups: number; packed: number; scales: number; errors: number } {
  const workgroups = Math.ceil(blocks / WORKGROUP_SIZE);
  return {
    workgroups,
    packed: (blocks * BLOCK * bits) / 8,
    scales: 4 * Math.ceil(blocks / 2),
    errors: 4 * workgroups,
  };
}

/** A checkpoint takes minutes: not to be found ruined in the end. */
async function prove(quantizer: Quantizer): Promise<void> {
  const rows = 101;
  const weights = Float32Array.from({ length: rows * BLOCK }, (_, i) => Math.sin(i * i));
  for (const bits of [4, 8] as const) {
    const result = await quantizer.quantize(weights, rows, BLOCK, bits);
    const restored = dequantizeRows(result, bits);
    const error = weights.reduce((sum, value, i) => sum + (value - restored[i]!) ** 2, 0);
    const { squaredError } = await cpuQuantizer().quantize(weights, rows, BLOCK, bits);
    for (const found of [error, result.squaredError]) {
      if (Math.abs(found / squaredError - 1) < 1e-3) continue;
      throw new AppError(
        'no-webgpu',
        `The GPU does not quantize right: in ${bits} bits the squared error is ${found.toPrecision(3)} where it should be ${squaredError.toPrecision(3)}.`,
        'Update the graphics driver and the browser, or convert on the processor.',
      );
    }
  }
}
