import type { BackendInfo } from '../backend/backend.ts';
import type { CacheSettings } from '../cache/settings.ts';

/** What a finished run says of itself; also the command line's stats file. */
export interface GenerateStats {
  readonly prompt: string;
  readonly unknownWords: readonly string[];
  readonly seed: number;
  readonly steps: number;
  readonly width: number;
  readonly height: number;
  /** Indices of the steps that ran the transformer. */
  readonly computeSteps: readonly number[];
  /** Settings by the step from which they held. */
  readonly cache: readonly { readonly fromStep: number; readonly settings: CacheSettings }[];
  readonly backend: BackendInfo['kind'];
  readonly adapter: string;
  readonly precision: BackendInfo['precision'];
  readonly backendReason: string;
  readonly seconds: {
    readonly total: number;
    readonly text: number;
    readonly trunk: number;
    readonly forecast: number;
    readonly head: number;
    readonly decode: number;
  };
  /**
   * Wall-clock of computing every step over that of this run, estimated from this run's own
   * compute steps.
   */
  readonly speedup: number;
}
