/** Has every compute step's features compared with what was forecast, without waiting for it. */
import type { DenoiseRun } from '../backend/backend.ts';
import { Gram } from '../cache/gram.ts';
import type { CachePolicy } from '../cache/policy.ts';

export class Verifier {
  readonly #readings: Promise<void>[] = [];

  constructor(
    private readonly run: DenoiseRun,
    private readonly policy: CachePolicy,
  ) {}

  /** After a compute step: asks for its inner products and goes on; the policy learns of them later. */
  start(): void {
    const { olderAnchors } = this.policy;
    const verify = this.policy.verifier();
    const reading = this.run.gram(olderAnchors).then((products) => {
      verify(new Gram(products, olderAnchors));
    });
    // A reading that fails fails with the device or with the run, which tell it themselves.
    this.#readings.push(reading.catch(() => undefined));
  }

  /** Resolves when every reading asked for has come or failed. */
  async finished(): Promise<void> {
    await Promise.all(this.#readings);
  }
}
