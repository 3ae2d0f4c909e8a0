/** The messages between page and worker: types only. */
import type { BackendInfo } from '../backend/backend.ts';
import type { LoadProgress } from '../bundle/progress.ts';
import type { CacheSettings } from '../cache/settings.ts';
import type { GenerateEvent, GenerateRequest, GenerateResult } from '../pipeline/job.ts';

export type { GenerateEvent, GenerateRequest, GenerateResult, LoadProgress };

export type BackendChoice = 'auto' | 'webgpu' | 'cpu';

/** What the page needs to know of the loaded model. */
export interface EngineInfo {
  readonly backend: BackendInfo;
  readonly model: {
    readonly title: string;
    readonly licence: string;
    readonly examples: readonly string[];
    readonly sizes: readonly { readonly width: number; readonly height: number }[];
    readonly defaultSteps: number;
  };
}

/** What the worker exposes through Comlink. Errors arrive as `AppError`. */
export interface EngineApi {
  /** Loads a bundle and starts a backend; `bundleUrl` is the folder that holds manifest.json. */
  load(
    bundleUrl: string,
    backend: BackendChoice,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<EngineInfo>;
  /** Rejects with code `cancelled` after `cancel()`, `busy` while another picture is made. */
  generate(
    request: GenerateRequest,
    onEvent: (event: GenerateEvent) => void,
  ): Promise<GenerateResult>;
  /** Takes effect at the next step of the running picture. */
  setCache(settings: CacheSettings): Promise<void>;
  cancel(): Promise<void>;
}
