/** The messages between page and worker: types only. */
import type { BackendInfo } from '../../runtime/info.ts';
import type { BackendChoice } from '../../runtime/kind.ts';
import type { LoadProgress } from '../../bundle/progress.ts';
import type { CacheSettings } from '../../forecast/settings.ts';
import type { GenerateEvent, GenerateRequest, GenerateResult } from '../../sampling/job.ts';
import type { PromptCuts, PromptReading } from '../../prompt/reading.ts';
import type { UnknownWord } from '../../prompt/words/known-words.ts';

export type { BackendChoice, GenerateEvent, GenerateRequest, GenerateResult, LoadProgress };
export type { PromptCuts, PromptReading, UnknownWord };

/** Where a model is: a bundle's folder on the web, or one that this browser keeps (library/api.ts). */
export type ModelAddress =
  { readonly kind: 'url'; readonly url: string } | { readonly kind: 'stored'; readonly id: string };

export interface LoadRequest {
  readonly model: ModelAddress;
  readonly backend: BackendChoice;
  /** Bytes for weights and activations; left out, what suits this machine. */
  readonly memoryBudget?: number;
}

/** What the page needs to know of the loaded model. */
export interface EngineInfo {
  readonly backend: BackendInfo;
  readonly model: {
    readonly title: string;
    readonly licence: string;
    readonly examples: readonly string[];
    readonly sizes: readonly { readonly width: number; readonly height: number }[];
    readonly defaultSteps: number;
    /** Usual guidance scale; null for a model that takes none. */
    readonly defaultGuidance: number | null;
    /** Whether it tells which words it was trained on. */
    readonly hasVocabulary: boolean;
  };
}

/** What the worker exposes through Comlink. Errors arrive as `AppError`. */
export interface EngineApi {
  /** Loads a bundle and starts a backend. */
  load(request: LoadRequest, onProgress: (progress: LoadProgress) => void): Promise<EngineInfo>;
  /** Rejects with code `cancelled` after `cancel()`, `busy` while another picture is made. */
  generate(
    request: GenerateRequest,
    onEvent: (event: GenerateEvent) => void,
  ): Promise<GenerateResult>;
  /** Takes effect at the next step of the running picture. */
  setCache(settings: CacheSettings): Promise<void>;
  cancel(): Promise<void>;
  /** Which words of a prompt the model reads, and which of them it does not know. */
  readPrompt(prompt: string): Promise<PromptReading>;
  /** Names of each thing that the model draws, the primary one first; none without a vocabulary. */
  concepts(): Promise<readonly (readonly string[])[]>;
}
