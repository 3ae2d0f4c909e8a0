/** What a conversion may be told. */
import type { NewHash } from '../bundle/running-hash.ts';
import type { Quantization } from './quantize/precision-policy.ts';
import type { Quantizer } from './quantize/quantizer.ts';

export interface ConversionProgress {
  /** The component being written. */
  readonly what: string;
  /** Bytes of weights taken so far, and in all. */
  readonly readBytes: number;
  readonly totalBytes: number;
}

export interface ConversionOptions {
  readonly quantization: Quantization;
  /** By default on this processor. The caller disposes of it. */
  readonly quantizer?: Quantizer;
  /** Most bytes of weights in a segment of the trunk or of T5; 1 GiB if left out. */
  readonly segmentBytes?: number;
  /** Numbers of a tensor that are held at once; 2²³ if left out. */
  readonly chunk?: number;
  /** Written between two places to go on from; 32 MiB if left out. */
  readonly commitBytes?: number;
  /** What hashes the files; slower where it is left out, but the same. */
  readonly newHash?: NewHash;
  readonly onProgress?: (progress: ConversionProgress) => void;
  /** Ends the conversion; the same call goes on later. */
  readonly signal?: AbortSignal;
}
