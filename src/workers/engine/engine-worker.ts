/** The engine's own thread: one model, one backend, one picture at a time. */
import { expose, transfer } from 'comlink';
import { chooseBackend } from '../../runtime/choose.ts';
import { type Bundle, openBundleUrl } from '../../bundle/bundle.ts';
import { openBrowserStore } from '../../bundle/store/browser.ts';
import type { CacheSettings } from '../../forecast/settings.ts';
import { AppError } from '../../shared/errors.ts';
import { type Engine, generate } from '../../sampling/generate.ts';
import { readPrompt } from '../../prompt/reading.ts';
import { checkSettings, guidanceOf, MAX_PROMPT_CHARACTERS } from '../../sampling/request.ts';
import { loadTokenizers } from '../../prompt/tokenize.ts';
import { loadKnownWords } from '../../prompt/words/unknown-words.ts';
import type { EngineApi, EngineInfo, GenerateEvent, LoadProgress, ModelAddress } from './api.ts';
import { registerErrorHandler } from '../rpc.ts';
import { workerHost } from './host.ts';

/** A picture in the making, as the page steers it. */
interface Job {
  cache: CacheSettings;
  readonly abort: AbortController;
}

// The page gives its own address as this worker's name.
const host = workerHost(self.name);
let engine: Engine | undefined;
let job: Job | undefined;

const api: EngineApi = {
  async load({ model, backend: choice, memoryBudget }, onProgress) {
    if (job) throw busy();
    const before = engine;
    engine = undefined;
    await before?.backend.dispose();

    const bundle = await openBundle(model, onProgress);
    const tokenizers = await loadTokenizers(bundle);
    const knownWords = await loadKnownWords(bundle);
    const options = memoryBudget === undefined ? {} : { memoryBudget };
    const backend = await chooseBackend(choice, bundle, host, options);
    engine = { backend, tokenizers, knownWords, manifest: bundle.manifest };
    return describe(engine);
  },

  async generate(request, onEvent) {
    const loaded = loadedEngine();
    if (job) throw busy();
    const mine: Job = { cache: request.cache, abort: new AbortController() };
    job = mine;
    let delivered: unknown;
    try {
      const result = await generate(loaded, request, {
        settings: () => mine.cache,
        signal: mine.abort.signal,
        onEvent: (event) => (delivered = onEvent(transferred(event))),
      });
      // Events have a port of their own; the picture must not overtake the last of them.
      await delivered;
      return transfer(result, [result.pixels.buffer]);
    } finally {
      job = undefined;
    }
  },

  async setCache(settings) {
    // Checked here, so that a bad value is refused and the picture goes on with the old ones.
    checkSettings(settings);
    if (job) job.cache = settings;
  },

  async cancel() {
    job?.abort.abort();
  },

  async readPrompt(prompt) {
    const loaded = loadedEngine();
    // A longer one is refused when it is to become an image; tokenizing it would only take time.
    return readPrompt(loaded, prompt.slice(0, MAX_PROMPT_CHARACTERS), loaded.manifest.text);
  },

  async concepts() {
    return loadedEngine().knownWords?.concepts ?? [];
  },
};

/** @throws AppError `bad-request` if there is none. */
function loadedEngine(): Engine {
  if (engine) return engine;
  throw new AppError('bad-request', 'No model is loaded.', 'Load a model first.');
}

async function openBundle(
  model: ModelAddress,
  onProgress: (progress: LoadProgress) => void,
): Promise<Bundle> {
  switch (model.kind) {
    case 'url':
      return openBundleUrl(model.url, { onProgress });
    case 'stored':
      return (await openBrowserStore()).open(model.id);
  }
}

function describe({ backend, knownWords, manifest }: Engine): EngineInfo {
  const { title, licence, examples, sizes, defaults } = manifest;
  return {
    backend: backend.info,
    model: {
      title,
      licence,
      examples,
      sizes,
      defaultSteps: defaults.steps,
      defaultGuidance: guidanceOf({}, manifest) ?? null,
      hasVocabulary: knownWords !== undefined,
    },
  };
}

/** Pixels move to the page instead of being copied. */
function transferred(event: GenerateEvent): GenerateEvent {
  return event.kind === 'preview' ? transfer(event, [event.pixels.buffer]) : event;
}

function busy(): AppError {
  return new AppError(
    'busy',
    'A picture is being made already.',
    'Cancel it or wait until it is done.',
  );
}

registerErrorHandler();
expose(api);
