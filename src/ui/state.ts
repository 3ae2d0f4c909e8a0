/** Everything the page knows, in one place. Components read signals; actions.ts writes them. */
import { computed, signal } from '@preact/signals';
import { plannedComputeSteps } from '../cache/schedule.ts';
import { type CacheSettings, PUBLISHED } from '../cache/settings.ts';
import type { ErrorReport } from '../errors.ts';
import type {
  EngineInfo,
  GenerateEvent,
  GenerateRequest,
  GenerateResult,
  LoadProgress,
} from '../worker/api.ts';
import { cacheProblem, stepsProblem } from './validate.ts';

export type EngineState =
  | { readonly kind: 'loading'; readonly progress: LoadProgress | undefined }
  | { readonly kind: 'ready'; readonly info: EngineInfo }
  | { readonly kind: 'failed' };

export type StepRecord = Extract<GenerateEvent, { kind: 'step' }>;
export type Preview = Extract<GenerateEvent, { kind: 'preview' }>;

/** `waiting`: asked for while the model was still loading. */
export type RunPhase = 'waiting' | 'text' | 'denoising' | 'decoding';

/** The picture in the making. */
export interface Run {
  readonly phase: RunPhase;
  readonly steps: number;
  readonly cancelling: boolean;
}

/** A finished picture with what was asked for. */
export interface Finished {
  readonly request: GenerateRequest;
  readonly result: GenerateResult;
}

export interface Notice {
  readonly report: ErrorReport;
  /** A button that mends it. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

export const engine = signal<EngineState>({ kind: 'loading', progress: undefined });
export const notice = signal<Notice | undefined>(undefined);
/** The last thing worth telling to somebody who cannot see the page change. */
export const announcement = signal('');

export const prompt = signal('');
/** NaN while its field holds no number; the same goes for the numbers in `cache`. */
export const steps = signal(50);
export const seed = signal(1);
export const randomSeed = signal(true);
/** Index into the model's sizes. */
export const sizeIndex = signal(0);
export const cache = signal<CacheSettings>(PUBLISHED);

export const run = signal<Run | undefined>(undefined);
/** Steps taken, of the running picture or else of the finished one. */
export const records = signal<readonly StepRecord[]>([]);
export const unknownWords = signal<readonly string[]>([]);
export const preview = signal<Preview | undefined>(undefined);
export const finished = signal<Finished | undefined>(undefined);

export const info = computed(() => (engine.value.kind === 'ready' ? engine.value.info : undefined));

/** Steps of the picture that the timeline shows: running, finished, or the next one. */
export const shownSteps = computed(() => {
  const made = run.value?.steps ?? records.value[0]?.steps;
  return made ?? (stepsProblem(steps.value) ? 0 : steps.value);
});

/** Steps still to come that would compute if the settings stay as they are. */
export const plannedCompute = computed<ReadonlySet<number>>(() => {
  if (cacheProblem(cache.value)) return new Set();
  const last = records.value.findLast((record) => record.computed)?.step ?? null;
  return new Set(plannedComputeSteps(shownSteps.value, cache.value, records.value.length, last));
});
