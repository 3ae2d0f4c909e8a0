import { AppError } from '../../errors.ts';
import { ortQueue } from '../serial.ts';

/**
 * Everything that uses the device goes through here: one job at a time, in the queue that ONNX
 * Runtime's calls need anyway, so that none of our submits falls into the middle of a run. Once
 * the device is lost, jobs reject with `device-lost` instead of hanging.
 */
export class DeviceWatch {
  #lost: AppError | undefined;
  #failed: GPUError | undefined;
  /** Rejects the job under way. */
  #abandon: ((reason: AppError) => void) | undefined;

  constructor(readonly device: GPUDevice) {
    void device.lost.then(({ message }) => {
      this.#lost = new AppError(
        'device-lost',
        `The GPU was lost${message ? `: ${message}` : '.'}`,
        'Load the model again. If it happens often, choose a smaller picture or the processor.',
      );
      this.#abandon?.(this.#lost);
    });
    device.addEventListener('uncapturederror', ({ error }) => {
      this.#failed ??= error;
    });
  }

  run<T>(job: () => Promise<T>): Promise<T> {
    return ortQueue.run(() => {
      if (this.#lost) throw this.#lost;
      return new Promise<T>((resolve, reject) => {
        this.#abandon = reject;
        job().then(resolve, reject);
      });
    });
  }

  /** Resolves when the GPU has done all it was given; rejects if any of it failed. */
  async settle(): Promise<void> {
    await this.run(() => this.device.queue.onSubmittedWorkDone());
    if (this.#failed) throw failure(this.#failed);
  }

  /**
   * Makes buffers.
   *
   * @throws AppError `out-of-memory` if the GPU has no room for them.
   */
  allocate<T>(make: () => T): Promise<T> {
    return this.run(async () => {
      this.device.pushErrorScope('out-of-memory');
      const made = make();
      const error = await this.device.popErrorScope();
      if (error) throw failure(error);
      return made;
    });
  }
}

function failure(error: GPUError): AppError {
  return error instanceof GPUOutOfMemoryError
    ? new AppError(
        'out-of-memory',
        'The GPU has not enough memory.',
        'Close other tabs and programs that use the GPU, or choose a smaller picture.',
        { cause: error },
      )
    : new AppError(
        'internal',
        `The GPU refused a command: ${error.message}`,
        'Try the processor instead of the GPU, and report this with your GPU.',
        { cause: error },
      );
}
