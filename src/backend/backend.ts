/**
 * What the pipeline drives. Two rooms implement it, webgpu/ and cpu/; nothing outside them
 * sees a GPU or ONNX Runtime type.
 */

export interface BackendInfo {
  readonly kind: 'webgpu' | 'cpu';
  /** Adapter or processor in words, as shown to people. */
  readonly adapter: string;
  /** Storage of features and weights' activations. */
  readonly precision: 'float16' | 'float32';
  /** Why this backend runs, in one sentence. */
  readonly reason: string;
}

export interface TextTokens {
  /** Token ids for the T5 encoder, padded to the model's length. */
  readonly t5: Int32Array;
  /** Token ids for the CLIP text model, padded to the model's length. */
  readonly clip: Int32Array;
  /** Index of CLIP's first end-of-text token, where the pooled vector is taken. */
  readonly clipEnd: number;
}

/** Encoded text, owned by the backend that made it. */
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
 * Calls are made one after another, each awaited.
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
  /** latents += deltaSigma * velocity, in place. */
  eulerStep(deltaSigma: number): Promise<void>;
  /** Resolves when everything asked for so far has really been done. */
  settle(): Promise<void>;
  /** The picture as forecast from here, latents - sigma * velocity, read back: [tokens * 64]. */
  estimate(sigma: number): Promise<Float32Array>;
  /** The current latents read back: [tokens * 64]. */
  latents(): Promise<Float32Array>;
  decode(): Promise<DecodedPicture>;
  dispose(): void;
}

export interface Backend {
  readonly info: BackendInfo;
  encodeText(tokens: TextTokens): Promise<Conditioning>;
  /** `latents`: starting noise, packed, [rows * columns * 64]. */
  begin(latents: Float32Array, grid: Grid, conditioning: Conditioning): Promise<DenoiseRun>;
  dispose(): Promise<void>;
}
