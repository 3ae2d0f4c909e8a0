/** Has every compute step's features compared with what was forecast, without waiting for it. */
import type { DenoiseRun } from '../runtime/backend.ts';
import { Gram } from '../forecast/verification/gram.ts';
import type { CachePolicy } from '../forecast/policy.ts';
import { AppError, type ErrorCode } from '../shared/errors.ts';

/** A reading that fails with these fails with the device or with the run, which report it. */
const REPORTED_ELSEWHERE: readonly ErrorCode[] = ['device-lost', 'cancelled'];

export class Verifier {
  readonly #readings: Promise<void>[] = [];
  #fault: { readonly error: unknown } | undefined;

  constructor(
    private readonly run: DenoiseRun,
    private readonly policy: CachePolicy,
  ) {}

  /**
   * After a compute step: asks for its inner products and goes on; the policy learns of them later.
   *
   * @throws what an earlier reading or its verification failed with.
   */
  start(): void {
    this.#rethrow();
    const { olderAnchors } = this.policy;
    const verify = this.policy.verifier();
    const reading = this.run.gram(olderAnchors).then((products) => {
      verify(new Gram(products, olderAnchors));
    });
    this.#readings.push(reading.catch((error: unknown) => this.#failed(error)));
  }

  /**
   * Resolves when every reading asked for has come and was verified.
   *
   * @throws what one of them failed with.
   */
  async finished(): Promise<void> {
    await Promise.all(this.#readings);
    this.#rethrow();
  }

  #failed(error: unknown): void {
    if (error instanceof AppError && REPORTED_ELSEWHERE.includes(error.code)) return;
    this.#fault ??= { error };
  }

  #rethrow(): void {
    if (this.#fault) throw this.#fault.error;
  }
}
