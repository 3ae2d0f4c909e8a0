import { gramOf } from '../forecast/vectors.ts';
import type {
  Backend,
  ComponentLoading,
  Conditioning,
  DecodedPicture,
  DenoiseRun,
  Grid,
  RunOptions,
} from '../../../src/runtime/backend.ts';

/**
 * A backend whose transformer is a formula, so that a run can be followed by hand: the features
 * of a token value x at flow time s are x·cos(3s) + sin(5s), and the head's velocity is
 * features·(1 + s). Everything is kept in double precision except the latents.
 */
export class AnalyticBackend implements Backend {
  readonly info = {
    kind: 'cpu',
    adapter: 'a formula',
    precision: 'float32',
    reason: 'It was asked for.',
    residency: {
      budget: 2 ** 30,
      activations: { text: 0, denoise: 0, preview: 0, decode: 0 },
      components: [],
      peak: 0,
    },
  } as const;
  /** What was called, in order. */
  readonly calls: string[] = [];
  /** The latents that were decoded last. */
  decoded: Float32Array | undefined;
  /** Thrown by the next compute step if set. */
  failure: Error | undefined;
  /** The compute step, counted from 1, whose features are found not to be finite. */
  breakAt: number | undefined;
  /** What the next run was begun with. */
  options: RunOptions | undefined;
  /** Whether it has a preview decoder, which paints everything in one grey. */
  previews = false;
  /** Told of by the next compute step if set. */
  loading: ComponentLoading | undefined;
  /** When the inner products of a compute step have been read back; at once unless set. */
  reading = (): Promise<void> => Promise.resolve();
  /** What the inner products are read back as. */
  products = (packed: Float32Array): Float32Array => packed;

  encodeText(): Promise<Conditioning> {
    this.calls.push('encodeText');
    return Promise.resolve({
      textTokens: 24,
      dispose: () => this.calls.push('dispose conditioning'),
    });
  }

  begin(
    start: Float32Array,
    _grid?: Grid,
    _conditioning?: Conditioning,
    options?: RunOptions,
  ): Promise<DenoiseRun> {
    this.options = options;
    return Promise.resolve(new AnalyticRun(this, Float32Array.from(start)));
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}

export const trunkOf = (x: number, sigma: number): number =>
  x * Math.cos(3 * sigma) + Math.sin(5 * sigma);
export const headOf = (features: number, sigma: number): number => features * (1 + sigma);

class AnalyticRun implements DenoiseRun {
  readonly #anchors: number[][] = [];
  #features: number[] = [];
  #velocities: number[][] = [];
  #mark: Float32Array | undefined;

  constructor(
    readonly owner: AnalyticBackend,
    readonly values: Float32Array,
  ) {}

  runTrunk(sigma: number): Promise<void> {
    if (this.owner.failure) return Promise.reject(this.owner.failure);
    this.owner.calls.push(`trunk`);
    if (this.owner.loading) this.owner.options?.onLoading?.(this.owner.loading);
    this.#features = Array.from(this.values, (x) => trunkOf(x, sigma));
    this.#anchors.unshift(this.#features);
    return Promise.resolve();
  }

  forecast(weights: readonly number[]): Promise<void> {
    this.owner.calls.push(`forecast ${weights.length}`);
    this.#features = Array.from(this.values, (_, n) =>
      weights.reduce((sum, weight, j) => sum + weight * this.#anchors[j]![n]!, 0),
    );
    return Promise.resolve();
  }

  head(sigma: number): Promise<void> {
    this.owner.calls.push('head');
    this.#velocities.unshift(this.#features.map((value) => headOf(value, sigma)));
    return Promise.resolve();
  }

  step(deltas: readonly number[]): Promise<void> {
    deltas.forEach((delta, j) =>
      this.#velocities[j]!.forEach((velocity, n) => (this.values[n]! += delta * velocity)),
    );
    return Promise.resolve();
  }

  mark(): Promise<void> {
    this.owner.calls.push('mark');
    this.#mark = Float32Array.from(this.values);
    return Promise.resolve();
  }

  rewind(): Promise<void> {
    this.owner.calls.push('rewind');
    this.values.set(this.#mark!);
    return Promise.resolve();
  }

  gram(older: number): Promise<Float32Array> {
    const anchors = this.#anchors.slice(0, older + 1);
    if (this.owner.breakAt === this.#anchors.length) anchors[0] = anchors[0]!.map(() => NaN);
    const { reading, products } = this.owner;
    return reading().then(() => products(Float32Array.from(gramOf(anchors).packed)));
  }

  anchor(age: number): Promise<Float32Array> {
    return Promise.resolve(Float32Array.from(this.#anchors[age]!));
  }

  settle(): Promise<void> {
    this.owner.calls.push('settle');
    return Promise.resolve();
  }

  estimate(sigma: number): Promise<Float32Array> {
    this.owner.calls.push('estimate');
    return Promise.resolve(this.values.map((x, n) => x - sigma * this.#velocities[0]![n]!));
  }

  latents(): Promise<Float32Array> {
    return Promise.resolve(Float32Array.from(this.values));
  }

  preview(): Promise<DecodedPicture | undefined> {
    if (!this.owner.previews) return Promise.resolve(undefined);
    this.owner.calls.push('preview');
    const pixels = new Uint8ClampedArray(32 * 32 * 4).fill(99);
    return Promise.resolve({ width: 32, height: 32, pixels });
  }

  decode(): Promise<DecodedPicture> {
    this.owner.calls.push('decode');
    this.owner.decoded = Float32Array.from(this.values);
    return Promise.resolve({ width: 32, height: 32, pixels: new Uint8ClampedArray(32 * 32 * 4) });
  }

  dispose(): void {
    this.owner.calls.push('dispose run');
  }
}
