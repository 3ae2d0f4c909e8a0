/** One picture to make: what is asked for, what is told on the way, what comes out. Types only. */
import type { ComponentLoading } from '../runtime/backend.ts';
import type { CacheSettings } from '../forecast/settings.ts';
import type { PromptReading } from '../prompt/reading.ts';
import type { Seed } from '../shared/seed.ts';
import type { Sampler } from './scheduler.ts';
import type { GenerateStats } from './stats.ts';

export interface GenerateRequest {
  readonly prompt: string;
  /** The noise that `torch.randn` gives for it on the CPU. */
  readonly seed: Seed;
  readonly steps: number;
  readonly sampler: Sampler;
  readonly width: number;
  readonly height: number;
  /** Guidance scale, for a model that takes one; its own if left out (`guidanceOf`). */
  readonly guidance?: number | undefined;
  /** Settings for the first step; they may be changed on the way. */
  readonly cache: CacheSettings;
  readonly preview: boolean;
  /** Whether to sample the features' differences for the statistics of the run. */
  readonly study?: boolean;
}

export type GenerateEvent =
  | { readonly kind: 'text'; readonly reading: PromptReading }
  /**
   * A component on its way into memory, at the beginning and after each of its files; only where a
   * model does not fit as a whole. The next event of another kind ends it.
   */
  | ({ readonly kind: 'loading' } & ComponentLoading)
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly steps: number;
      readonly computed: boolean;
      /** Compute steps after this one, as far as is known now. */
      readonly planned: readonly number[];
      /** The settings that this step really used. */
      readonly cache: CacheSettings;
      /** Wall-clock of this step. */
      readonly seconds: number;
      /** Estimate for the rest of the run, decoding included. */
      readonly secondsLeft: number;
    }
  | {
      readonly kind: 'preview';
      readonly width: number;
      readonly height: number;
      readonly pixels: Uint8ClampedArray<ArrayBuffer>;
    }
  | { readonly kind: 'decoding' };

export interface GenerateResult {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
  readonly stats: GenerateStats;
}
