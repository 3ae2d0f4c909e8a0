/** A backend as it is, which also lets bench see the final latents and count what was called. */
import type {
  Backend,
  Conditioning,
  DenoiseRun,
  Grid,
  OnComponentLoading,
  RunOptions,
  TextTokens,
} from '../../src/runtime/backend.ts';
import type { Calls } from '../lib/flops.ts';

/** For one picture. */
export class Tap implements Backend {
  readonly #backend: Backend;
  readonly #calls = { trunk: 0, head: 0, feature: 0 };
  #latents: Float32Array | undefined;
  #readSeconds = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get info(): Backend['info'] {
    return this.#backend.info;
  }

  get calls(): Calls {
    return this.#calls;
  }

  /** Right before they were decoded. */
  get latents(): Float32Array {
    if (!this.#latents) throw new Error('no picture was decoded');
    return this.#latents;
  }

  /** Spent on reading the latents, which is no part of the run's work. */
  get readSeconds(): number {
    return this.#readSeconds;
  }

  encodeText(tokens: TextTokens, onLoading?: OnComponentLoading): Promise<Conditioning> {
    return this.#backend.encodeText(tokens, onLoading);
  }

  async begin(
    latents: Float32Array,
    grid: Grid,
    conditioning: Conditioning,
    options?: RunOptions,
  ): Promise<DenoiseRun> {
    const run = await this.#backend.begin(latents, grid, conditioning, options);
    const tapped: Partial<DenoiseRun> = {
      runTrunk: (sigma) => {
        this.#calls.trunk++;
        return run.runTrunk(sigma);
      },
      head: (sigma) => {
        this.#calls.head++;
        return run.head(sigma);
      },
      forecast: (weights) => {
        this.#calls.feature += weights.length;
        return run.forecast(weights);
      },
      gram: (older) => {
        this.#calls.feature += ((older + 1) * (older + 2)) / 2;
        return run.gram(older);
      },
      decode: async () => {
        const started = performance.now();
        this.#latents = await run.latents();
        this.#readSeconds = (performance.now() - started) / 1000;
        return run.decode();
      },
    };
    return new Proxy(run, {
      get(target, name): unknown {
        const value: unknown = Reflect.get(tapped, name) ?? Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** The backend is its owner's to dispose of. */
  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
