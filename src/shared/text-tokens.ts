/** A prompt as the text encoders take it. */
export interface TextTokens {
  /** Token ids for the T5 encoder, padded to the model's length. */
  readonly t5: Int32Array;
  /** Token ids for the CLIP text model, padded to the model's length. */
  readonly clip: Int32Array;
  /** Index of CLIP's first end-of-text token, where the pooled vector is taken. */
  readonly clipEnd: number;
}
