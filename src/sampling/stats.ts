import type { BackendInfo } from '../runtime/backend.ts';
import type { Verification } from '../forecast/policy.ts';
import type { CacheSettings } from '../forecast/settings.ts';
import type { PromptCuts } from '../prompt/reading.ts';
import type { Seed } from '../shared/seed.ts';
import type { Sampler } from './scheduler.ts';

/** What a finished run says of itself; also the command line's stats file. */
export interface GenerateStats {
  readonly prompt: string;
  /** What was tokenized: the prompt with words in the place of emoji. */
  readonly encodedPrompt: string;
  /** Where the text encoders stopped reading the prompt. */
  readonly promptCuts: PromptCuts;
  readonly unknownWords: readonly string[];
  /** Beyond 2^53 in digits, so that no reader of the JSON rounds it. */
  readonly seed: Seed;
  readonly steps: number;
  readonly sampler: Sampler;
  readonly width: number;
  readonly height: number;
  /** Guidance scale; null for a model that takes none. */
  readonly guidance: number | null;
  /** Indices of the steps that ran the transformer. */
  readonly computeSteps: readonly number[];
  /** Settings by the step from which they held. */
  readonly cache: readonly { readonly fromStep: number; readonly settings: CacheSettings }[];
  /** Flow times of all steps and the end, falling from 1 to 0: [steps + 1]. */
  readonly flowTimes: readonly number[];
  /**
   * About two thousand values of the difference between the two newest anchors, standardised to
   * mean 0 and variance 1; null unless asked for, or if there were no two.
   */
  readonly differenceSamples: readonly number[] | null;
  /** Whether a feature was not finite, after which every step was computed. */
  readonly nonFinite: boolean;
  /** What compute steps showed about forecasts of them, in the order in which it was known. */
  readonly verifications: readonly Verification[];
  /** Forecast steps that no compute step verified, growing; mostly those after the last one. */
  readonly unverifiedSteps: readonly number[];
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
