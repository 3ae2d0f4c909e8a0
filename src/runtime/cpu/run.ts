import type { Tensor } from 'onnxruntime-web/wasm';
import type { Manifest } from '../../bundle/manifest.ts';
import { MAX_ANCHORS } from '../../forecast/settings.ts';
import { numbersOf } from '../../shared/half.ts';
import type { Conditioning, DecodedPicture, DenoiseRun, Grid, RunOptions } from '../backend.ts';
import { checkDeltas, checkOlder, noFeatures, noMark, VELOCITIES } from '../calls.ts';
import type { Components } from '../ort/components.ts';
import { outputOf, type Ort, type Tensors } from '../ort/session.ts';
import type { ComponentName } from '../memory/parts.ts';
import { pictureOf } from '../image.ts';
import { Ring } from '../ring.ts';
import { rotaryTables } from '../rotary.ts';
import { eulerStep } from './euler_step.ts';
import { forecast } from './forecast.ts';
import { gram } from './gram.ts';

/** Encoded text in the processor's memory. */
export interface CpuConditioning extends Conditioning {
  /** `text` [1, text tokens, text width] and `pooled` [1, pooled width]. */
  readonly tensors: Tensors;
}

/** One picture in the making, in typed arrays. */
export class CpuRun implements DenoiseRun {
  private readonly current: Float32Array;
  private readonly velocities: Ring<Float32Array>;
  private readonly anchors: Ring<Float32Array>;
  private readonly forecasted: Float32Array;
  private readonly inputs: Tensors;
  private readonly featureDims: readonly number[];
  /** What `head` reads: the newest anchor or `forecasted`. */
  private features: Float32Array | undefined;
  private marked: Float32Array | undefined;

  constructor(
    private readonly ort: Ort,
    { transformer }: Manifest,
    private readonly components: Components,
    latents: Float32Array,
    private readonly grid: Grid,
    conditioning: CpuConditioning,
    private readonly options: RunOptions,
  ) {
    const imageTokens = grid.rows * grid.columns;
    const tokens = conditioning.textTokens + imageTokens;
    const rotary = rotaryTables(conditioning.textTokens, grid, transformer.axes);
    const rotaryDims = [tokens, transformer.headWidth / 2];
    const newFeatures = () => new Float32Array(imageTokens * transformer.hidden);

    this.featureDims = [1, imageTokens, transformer.hidden];
    this.current = latents.slice();
    this.velocities = new Ring(
      Array.from({ length: VELOCITIES }, () => new Float32Array(latents.length)),
    );
    // One more than a forecast reads: the newest and all that could have forecast it.
    this.anchors = new Ring(Array.from({ length: MAX_ANCHORS + 1 }, newFeatures));
    this.forecasted = newFeatures();
    this.inputs = {
      ...conditioning.tensors,
      latents: this.floats(this.current, [1, imageTokens, transformer.latentWidth]),
      rotary_cos: this.floats(rotary.cos, rotaryDims),
      rotary_sin: this.floats(rotary.sin, rotaryDims),
      ...(options.guidance !== undefined && {
        guidance: this.floats(Float32Array.of(options.guidance), [1]),
      }),
    };
  }

  async runTrunk(sigma: number): Promise<void> {
    const results = await this.execute('trunk', {
      ...this.inputs,
      timestep: this.timestep(sigma),
    });
    this.anchors.next.set(numbersOf(outputOf(results, 'features').data));
    this.anchors.advance();
    this.features = this.anchors.newest(1)[0];
  }

  async forecast(weights: readonly number[]): Promise<void> {
    forecast(weights, this.anchors.newest(weights.length), this.forecasted);
    this.features = this.forecasted;
  }

  async head(sigma: number): Promise<void> {
    if (!this.features) throw noFeatures();
    const results = await this.execute('head', {
      ...this.inputs,
      features: this.floats(this.features, this.featureDims),
      timestep: this.timestep(sigma),
    });
    this.velocities.next.set(numbersOf(outputOf(results, 'velocity').data));
    this.velocities.advance();
  }

  async step(deltas: readonly number[]): Promise<void> {
    checkDeltas(deltas);
    this.velocities.newest(deltas.length).forEach((velocity, j) => {
      eulerStep(this.current, velocity, deltas[j]!);
    });
  }

  async mark(): Promise<void> {
    this.marked = this.current.slice();
  }

  async rewind(): Promise<void> {
    if (!this.marked) throw noMark();
    this.current.set(this.marked);
  }

  async gram(older: number): Promise<Float32Array> {
    checkOlder(older);
    return gram(this.anchors.newest(older + 1));
  }

  async anchor(age: number): Promise<Float32Array> {
    return this.anchors.newest(age + 1)[age]!.slice();
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  async estimate(sigma: number): Promise<Float32Array> {
    const estimate = this.current.slice();
    const [velocity] = this.velocities.newest(1);
    eulerStep(estimate, velocity!, -sigma);
    return estimate;
  }

  latents(): Promise<Float32Array> {
    return Promise.resolve(this.current.slice());
  }

  async preview(sigma: number): Promise<DecodedPicture | undefined> {
    if (!this.components.previews) return undefined;
    return this.picture('previewer', await this.estimate(sigma));
  }

  decode(): Promise<DecodedPicture> {
    return this.picture('decoder', this.current);
  }

  dispose(): void {
    // Memory of the JavaScript heap, which frees itself.
  }

  private async picture(
    component: 'previewer' | 'decoder',
    latents: Float32Array,
  ): Promise<DecodedPicture> {
    const { rows, columns } = this.grid;
    const dims = [1, rows, columns, latents.length / (rows * columns)];
    const results = await this.execute(component, { latents: this.floats(latents, dims) });
    const image = outputOf(results, 'image');
    return pictureOf(numbersOf(image.data), image.dims[3]!, image.dims[2]!, 'cpu');
  }

  private execute(component: ComponentName, given: Tensors): Promise<Tensors> {
    return this.components.run(component, given, {}, this.options.onLoading);
  }

  private timestep(sigma: number): Tensor {
    return this.floats(Float32Array.of(sigma), [1]);
  }

  private floats(values: Float32Array, dims: readonly number[]): Tensor {
    return new this.ort.Tensor('float32', values, dims);
  }
}
