/** The page's side of the worker. */
import { proxy, type Remote, wrap } from 'comlink';
import { AppError } from '../errors.ts';
import type { CacheSettings } from '../cache/settings.ts';
import type {
  BackendChoice,
  EngineApi,
  EngineInfo,
  GenerateEvent,
  GenerateRequest,
  GenerateResult,
  LoadProgress,
} from './api.ts';
import { registerErrorHandler } from './errors.ts';

export interface EngineClient extends EngineApi {
  /** Ends the worker and everything that it holds; open calls never settle. */
  terminate(): void;
}

/** Starts the worker; every call after that goes through it. */
export function startEngine(): EngineClient {
  registerErrorHandler();
  const worker = new Worker(new URL('./index.ts', import.meta.url), {
    type: 'module',
    // The worker's script lies deeper than the page; its name tells it where the site's files are.
    name: new URL('.', document.baseURI).href,
  });
  // A worker whose script does not load or parse answers no message; only this event tells.
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => {
      const detail = event.message ? `: ${event.message}` : '.';
      reject(new AppError('internal', `The engine's worker failed${detail}`, RELOAD));
    });
  });
  failed.catch(() => undefined);
  const remote: Remote<EngineApi> = wrap<EngineApi>(worker);
  const orFailure = <T>(call: Promise<T>): Promise<T> => Promise.race([call, failed]);

  return {
    load: (
      url: string,
      backend: BackendChoice,
      onProgress: (progress: LoadProgress) => void,
    ): Promise<EngineInfo> => orFailure(remote.load(url, backend, proxy(onProgress))),
    generate: (
      request: GenerateRequest,
      onEvent: (event: GenerateEvent) => void,
    ): Promise<GenerateResult> => orFailure(remote.generate(request, proxy(onEvent))),
    setCache: (settings: CacheSettings): Promise<void> => orFailure(remote.setCache(settings)),
    cancel: (): Promise<void> => orFailure(remote.cancel()),
    terminate: () => worker.terminate(),
  };
}

const RELOAD = 'Reload the page. If it happens again, try another browser.';
