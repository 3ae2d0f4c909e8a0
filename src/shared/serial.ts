/**
 * Runs jobs one after another. A job that fails rejects its own promise and nothing else: the
 * next one starts all the same.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/**
 * The queue for every create, run and release of ONNX Runtime in this thread. One for all
 * backends, because sessions share one runtime whose calls must not overlap.
 */
export const ortQueue = new SerialQueue();
