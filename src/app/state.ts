/** Everything the page knows, in one place. Components read signals; actions.ts writes them. */
import { computed, signal } from '@preact/signals';
import { plannedComputeSteps } from '../forecast/schedule/interval.ts';
import type { CacheSettings } from '../forecast/settings.ts';
import type { ErrorReport } from '../shared/errors.ts';
import type {
  BackendChoice,
  EngineInfo,
  GenerateEvent,
  GenerateRequest,
  GenerateResult,
  LoadProgress,
  ModelAddress,
  UnknownWord,
} from '../workers/engine/api.ts';
import { BUILT_IN_MODEL } from './models/built-in-model.ts';
import { BUILT_IN, BUILT_IN_KEY, modelKey } from './models/choice.ts';
import { BALANCED } from './cache/presets.ts';
import { cacheProblem, stepsProblem } from './validate.ts';

export type EngineState =
  | { readonly kind: 'loading'; readonly progress: LoadProgress | undefined }
  | { readonly kind: 'ready'; readonly info: EngineInfo }
  | { readonly kind: 'failed' };

export type StepRecord = Extract<GenerateEvent, { kind: 'step' }>;
export type Preview = Extract<GenerateEvent, { kind: 'preview' }>;
export type ComponentLoading = Extract<GenerateEvent, { kind: 'loading' }>;

/** `waiting`: asked for while the model was still loading. */
export type RunPhase = 'waiting' | 'text' | 'denoising' | 'decoding';

/** The picture in the making. */
export interface Run {
  readonly phase: RunPhase;
  readonly steps: number;
  readonly cancelling: boolean;
  /** What the run waits for, where the model does not fit into memory as a whole. */
  readonly loading?: ComponentLoading | undefined;
}

export type Verification = GenerateResult['stats']['verifications'][number];

/** A finished picture with what was asked for. */
export interface Finished {
  readonly request: GenerateRequest;
  readonly result: GenerateResult;
}

export interface Notice {
  /** Without a code it is news, not a failure. */
  readonly report: Omit<ErrorReport, 'code'> & Partial<Pick<ErrorReport, 'code'>>;
  /** Buttons that mend it. */
  readonly actions?: readonly { readonly label: string; readonly run: () => void }[];
}

/** The model that is loaded or being loaded. */
export const model = signal<ModelAddress>(BUILT_IN);
export const backend = signal<BackendChoice>('auto');
/** Bytes for weights and activations; undefined for what suits this machine. */
export const memoryBudget = signal<number | undefined>(undefined);
export const engine = signal<EngineState>({ kind: 'loading', progress: undefined });
export const notice = signal<Notice | undefined>(undefined);
/** The last thing worth telling to somebody who cannot see the page change. */
export const announcement = signal('');

export const prompt = signal('');
/**
 * NaN while its field holds no number; the same goes for the numbers in `cache`. A model that is
 * loaded for the first time brings its own usual number.
 */
export const steps = signal(BUILT_IN_MODEL.defaultSteps);
/** Guidance scale, for models that take one. */
export const guidance = signal(BUILT_IN_MODEL.defaultGuidance ?? 3.5);
/** Key of the model that steps and guidance were chosen for, empty before the first one. */
export const chosenFor = signal('');
export const sampler = signal<GenerateRequest['sampler']>('euler');
/** As it was typed: a number would round what is beyond 2^53. */
export const seed = signal('1');
export const randomSeed = signal(true);
/** Index into the model's sizes. */
export const sizeIndex = signal(0);
export const cache = signal<CacheSettings>(BALANCED);

export const run = signal<Run | undefined>(undefined);
/** Steps taken, of the running picture or else of the finished one. */
export const records = signal<readonly StepRecord[]>([]);
/** Of the prompt of the running picture or else of the finished one. */
export const unknownWords = signal<readonly UnknownWord[]>([]);
export const preview = signal<Preview | undefined>(undefined);
export const finished = signal<Finished | undefined>(undefined);

export const info = computed(() => (engine.value.kind === 'ready' ? engine.value.info : undefined));

/** The model as far as it is known: the one that comes with the page, before it is loaded too. */
export const knownModel = computed<EngineInfo['model'] | undefined>(
  () => info.value?.model ?? (modelKey(model.value) === BUILT_IN_KEY ? BUILT_IN_MODEL : undefined),
);

/** Steps of the picture that the timeline shows: running, finished, or the next one. */
export const shownSteps = computed(() => {
  const made = run.value?.steps ?? records.value[0]?.steps;
  return made ?? (stepsProblem(steps.value) ? 0 : steps.value);
});

/**
 * Steps still to come that will compute as far as is known: what the run says or, before one, what
 * the interval says. Undefined while only the run can know.
 */
export const plannedCompute = computed<ReadonlySet<number> | undefined>(() => {
  const newest = records.value.at(-1);
  if (newest) return new Set(newest.planned);
  if (cacheProblem(cache.value)) return undefined;
  if (cache.value.schedule !== 'interval' && cache.value.basis !== 'none') return undefined;
  return new Set(plannedComputeSteps(shownSteps.value, cache.value));
});

/** Forecast steps of the picture on show that nothing verified. */
export const unverified = computed<ReadonlySet<number>>(
  () => new Set(run.value ? [] : finished.value?.result.stats.unverifiedSteps),
);

/** By compute step of the picture on show: what it showed about the forecasts before it. */
export const verified = computed<ReadonlyMap<number, Verification>>(() => {
  const verifications = run.value ? [] : (finished.value?.result.stats.verifications ?? []);
  return new Map(verifications.map((verification) => [verification.step, verification]));
});
