/** The page's side of the worker. */
import { proxy, type Remote, wrap } from 'comlink';
import type { CacheSettings } from '../../forecast/settings.ts';
import type {
  EngineApi,
  EngineInfo,
  GenerateEvent,
  GenerateRequest,
  GenerateResult,
  LoadProgress,
  LoadRequest,
  PromptReading,
} from './api.ts';
import { registerErrorHandler } from '../rpc.ts';
import { startWorker } from '../start.ts';

export interface EngineClient extends EngineApi {
  /** Ends the worker and everything that it holds; open calls never settle. */
  terminate(): void;
}

/** Starts the worker; every call after that goes through it. */
export function startEngine(): EngineClient {
  registerErrorHandler();
  const { worker, orFailure } = startWorker(
    new Worker(new URL('./engine-worker.ts', import.meta.url), {
      type: 'module',
      // The worker's script lies deeper than the page; its name tells it where the site's files are.
      name: new URL('.', document.baseURI).href,
    }),
    "The engine's worker failed",
  );
  const remote: Remote<EngineApi> = wrap<EngineApi>(worker);

  return {
    load: (
      request: LoadRequest,
      onProgress: (progress: LoadProgress) => void,
    ): Promise<EngineInfo> => orFailure(remote.load(request, proxy(onProgress))),
    generate: (
      request: GenerateRequest,
      onEvent: (event: GenerateEvent) => void,
    ): Promise<GenerateResult> => orFailure(remote.generate(request, proxy(onEvent))),
    setCache: (settings: CacheSettings): Promise<void> => orFailure(remote.setCache(settings)),
    cancel: (): Promise<void> => orFailure(remote.cancel()),
    readPrompt: (prompt: string): Promise<PromptReading> => orFailure(remote.readPrompt(prompt)),
    concepts: (): Promise<readonly (readonly string[])[]> => orFailure(remote.concepts()),
    terminate: () => worker.terminate(),
  };
}
