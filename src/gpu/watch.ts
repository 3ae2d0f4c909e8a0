import { AppError } from '../shared/errors.ts';
import { ortQueue } from '../shared/serial.ts';

/** What a device is used for, which decides what can be done when it fails. */
export type DeviceUse = 'images' | 'conversion';

/**
 * Everything that uses the device goes through here: `run` takes one job at a time, in the queue that ONNX
 * Runtime's calls need anyway, so that none of our submits falls into the middle of a run. Once
 * the device is lost, jobs reject with `device-lost` instead of hanging.
 */
export class DeviceWatch {
  #lost: AppError | undefined;
  #failed: GPUError | undefined;
  /** Rejects what is under way. */
  readonly #abandon = new Set<(reason: AppError) => void>();

  constructor(
    readonly device: GPUDevice,
    private readonly use: DeviceUse = 'images',
  ) {
    void device.lost.then(({ message }) => {
      this.#lost = deviceLost(message, use);
      for (const reject of this.#abandon) reject(this.#lost);
    });
    device.addEventListener('uncapturederror', ({ error }) => {
      this.#failed ??= error;
    });
  }

  run<T>(job: () => Promise<T>): Promise<T> {
    return ortQueue.run(() => {
      if (this.#lost) throw this.#lost;
      return this.guard(job());
    });
  }

  /** The same promise, except that the loss of the device rejects it; it is not queued. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#abandon.add(reject);
      promise
        .then(resolve, async (error: unknown) => {
          // Only a device on its way out breaks a mapping off, and browsers say so afterwards.
          if (error instanceof Error && error.name === 'AbortError') await this.device.lost;
          reject(error);
        })
        .finally(() => this.#abandon.delete(reject));
      if (this.#lost) reject(this.#lost);
    });
  }

  /** Resolves when the GPU has done all it was given; rejects if any of it failed. */
  async settle(): Promise<void> {
    await this.run(() => this.device.queue.onSubmittedWorkDone());
    if (this.#failed) throw failure(this.#failed, this.use);
  }

  /**
   * Makes buffers, or what has buffers.
   *
   * @param discard undoes it where some of them could not be had
   * @throws AppError `out-of-memory` if the GPU has no room for them.
   */
  allocate<T>(
    make: () => T | Promise<T>,
    discard: (made: T) => Promise<void> = () => Promise.resolve(),
  ): Promise<T> {
    return this.run(async () => {
      // What is done with a buffer that could not be had is refused too, and means nothing more.
      this.device.pushErrorScope('validation');
      this.device.pushErrorScope('out-of-memory');
      const [made] = await Promise.allSettled([(async () => make())()]);
      const missing = await this.device.popErrorScope();
      const refused = await this.device.popErrorScope();
      const error = missing ?? refused;
      if (made.status === 'rejected') throw missing ? failure(missing, this.use) : made.reason;
      if (!error) return made.value;
      await discard(made.value);
      throw failure(error, this.use);
    });
  }
}

/** What to do when the device is lost, has no room, or refuses a command. */
const HINTS: Record<
  DeviceUse,
  { readonly lost: string; readonly room: string; readonly refused: string }
> = {
  images: {
    lost: 'Load the model again. If it happens often, choose a smaller image or the CPU.',
    room: 'Close other tabs and programs that use the GPU, or choose a smaller image.',
    refused: 'Select the CPU instead of the GPU, and report this with the name of your GPU.',
  },
  conversion: {
    lost: 'Start the conversion again: it resumes. If it happens often, close other programs that use the GPU.',
    room: 'Close other tabs and programs that use the GPU, and start the conversion again: it resumes.',
    refused:
      'Update the graphics driver and start the conversion again, and report this with the name of your GPU.',
  },
};

function deviceLost(message: string, use: DeviceUse): AppError {
  const text = `The GPU was lost${message ? `: ${message}` : '.'}`;
  return new AppError('device-lost', text, HINTS[use].lost);
}

function failure(cause: GPUError, use: DeviceUse): AppError {
  return cause instanceof GPUOutOfMemoryError
    ? new AppError('out-of-memory', 'The GPU has not enough memory.', HINTS[use].room, { cause })
    : new AppError('internal', `The GPU refused a command: ${cause.message}`, HINTS[use].refused, {
        cause,
      });
}
