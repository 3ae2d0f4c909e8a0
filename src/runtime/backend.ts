/**
 * What the pipeline drives. Two rooms implement it, webgpu/ and cpu/; nothing outside them
 * sees a GPU or ONNX Runtime type.
 */
import type { TextTokens } from '../shared/text-tokens.ts';
import type { BackendInfo } from './info.ts';

export type { BackendInfo, TextTokens };

/** A component, or a segment of one, on its way into memory. */
export interface ComponentLoading {
  /** In words, such as "transformer, part 2 of 7". */
  readonly component: string;
  /** Read so far; what follows the last of them is the session's making. */
  readonly loadedBytes: number;
  readonly bytes: number;
}

export type OnComponentLoading = (loading: ComponentLoading) => void;

/** What a run may be told besides its latents and its text. */
export interface RunOptions {
  /** Guidance scale, for a model that takes one. */
  readonly guidance?: number | undefined;
  /** Told while a component is loaded that this run needs. */
  readonly onLoading?: OnComponentLoading;
}

/** Encoded text, owned by the backend that made it, which may keep it for the next run. */
export interface Conditioning {
  readonly textTokens: number;
  dispose(): void;
}

export interface Grid {
  /** Image tokens down and across: picture height and width over 16. */
  readonly rows: number;
  readonly columns: number;
}

export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  /** RGBA, 8 bits each, row by row from the top. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

/**
 * One picture in the making. Latents are packed as in FLUX: [image tokens, 64], float32.
 * Calls are made one after another, each awaited but `gram`.
 */
export interface DenoiseRun {
  /**
   * Compute step: runs the whole transformer on the current latents at flow time `sigma`
   * (1 = noise, 0 = picture). Its features become the newest anchor and what `head` reads.
   */
  runTrunk(sigma: number): Promise<void>;
  /**
   * Forecast step: sum of `weights[j]` times the j-th newest anchor, which is what `head`
   * reads. At most as many weights as there are anchors.
   */
  forecast(weights: readonly number[]): Promise<void>;
  /** Velocity from the current features, with the modulation of flow time `sigma`. */
  head(sigma: number): Promise<void>;
  /**
   * latents += sum of `deltas[j]` times the j-th newest velocity, in place. One delta is an Euler
   * step, two are a step of a two-step method. RangeError for other counts and for more than
   * `head` was called.
   */
  step(deltas: readonly number[]): Promise<void>;
  /** Keeps a copy of the current latents, in place of the one before. */
  mark(): Promise<void>;
  /** Puts the marked latents back. RangeError if there is no mark. */
  rewind(): Promise<void>;
  /**
   * Inner products of the newest anchor A₀ and of the successive differences between it and
   * `older` anchors before it: e₀ = A₀, eᵢ = Aᵢ₋₁ - Aᵢ. Packed upper triangle, row by row,
   * (0,0), (0,1) … (0,K), (1,1) …: (K+1)(K+2)/2 numbers. Differences instead of the anchors
   * themselves, because a forecast's error is a small difference of large features, which sums in
   * float32 would lose. A feature that is not finite makes products that are not.
   *
   * The one call that need not be awaited: what it reads are the anchors as they are when it is
   * called, whatever follows, and nothing that follows waits for it. It rejects with a RangeError
   * if there are no `older` anchors before the newest, with AppError `device-lost` if the device
   * goes, and with AppError `cancelled` if the run is disposed of before it has been read back.
   * Whoever calls it without awaiting it attaches a handler for that.
   */
  gram(older: number): Promise<Float32Array>;
  /**
   * The features of the anchor that is `age` older than the newest, read back as float32:
   * [tokens * hidden]. RangeError if there is none. Large; for studies, not for every step.
   */
  anchor(age: number): Promise<Float32Array>;
  /** Resolves when everything asked for so far has really been done. */
  settle(): Promise<void>;
  /** The picture as forecast from here, latents - sigma * velocity, read back: [tokens * 64]. */
  estimate(sigma: number): Promise<Float32Array>;
  /** The current latents read back: [tokens * 64]. */
  latents(): Promise<Float32Array>;
  /**
   * `estimate`, decoded by the model's small preview decoder; undefined if it has none, or none
   * for which there is room beside the transformer.
   */
  preview(sigma: number): Promise<DecodedPicture | undefined>;
  decode(): Promise<DecodedPicture>;
  dispose(): void;
}

export interface Backend {
  readonly info: BackendInfo;
  encodeText(tokens: TextTokens, onLoading?: OnComponentLoading): Promise<Conditioning>;
  /** `latents`: starting noise, packed, [rows * columns * 64]. */
  begin(
    latents: Float32Array,
    grid: Grid,
    conditioning: Conditioning,
    options?: RunOptions,
  ): Promise<DenoiseRun>;
  dispose(): Promise<void>;
}
