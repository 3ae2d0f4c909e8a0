import { AppError } from '../../shared/errors.ts';
import { mapFloats, stagingBuffer } from '../../gpu/buffers.ts';
import type { DeviceWatch } from '../../gpu/watch.ts';

/**
 * Small results of a run on their way back from the GPU. Their work takes its turn in the queue
 * like all other; the wait for it does not, so that nothing else waits too.
 */
export class Readings {
  readonly #pending = new Set<GPUBuffer>();
  #ended = false;

  constructor(private readonly watch: DeviceWatch) {}

  /**
   * The float32 numbers that the recorded work leaves in `result`.
   *
   * @param bytes size of `result`, a multiple of four
   * @param record makes the work; called when its turn comes, which is before that of all that
   *   is asked of the watch after this call
   * @throws AppError `device-lost`, or `cancelled` after `end`.
   */
  async read(
    label: string,
    bytes: number,
    record: (encoder: GPUCommandEncoder, result: GPUBuffer) => void,
  ): Promise<Float32Array> {
    const { device } = this.watch;
    const staging = await this.watch.run(async () => {
      if (this.#ended) throw ended();
      const result = stagingBuffer(device, `${label} read back`, bytes);
      const encoder = device.createCommandEncoder({ label });
      record(encoder, result);
      device.queue.submit([encoder.finish()]);
      return result;
    });
    if (this.#ended) {
      staging.destroy();
      throw ended();
    }
    this.#pending.add(staging);
    try {
      return await this.watch.guard(this.#map(staging));
    } finally {
      this.#pending.delete(staging);
      staging.destroy();
    }
  }

  async #map(staging: GPUBuffer): Promise<Float32Array> {
    try {
      return await mapFloats(staging);
    } catch (error) {
      throw this.#ended ? ended() : error;
    }
  }

  /** Gives up what has not been read yet, and everything asked for from now on. */
  end(): void {
    this.#ended = true;
    // Breaks their mappings off.
    for (const staging of this.#pending) staging.destroy();
  }
}

function ended(): AppError {
  return new AppError(
    'cancelled',
    'The picture ended before this could be read back.',
    'Start another when you like.',
  );
}
