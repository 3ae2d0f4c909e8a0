/** The engine in Node: the same pipeline and backends as in the browser. */
import { type BackendChoice, type BackendOptions, chooseBackend } from '../src/backend/choose.ts';
import type { Bundle } from '../src/bundle/bundle.ts';
import type { Engine } from '../src/pipeline/generate.ts';
import { loadTokenizers } from '../src/pipeline/tokenize.ts';
import { loadKnownWords } from '../src/pipeline/words/unknown-words.ts';
import { nodeHost } from './node-ort.ts';

export const BACKENDS = ['auto', 'webgpu', 'cpu'] as const satisfies readonly BackendChoice[];
/** The model that comes with the project. */
export const DEFAULT_BUNDLE = 'public/models/pocket';

/** Whoever starts it disposes of its backend. */
export async function startEngine(
  bundle: Bundle,
  choice: BackendChoice,
  options: BackendOptions = {},
): Promise<Engine> {
  const tokenizers = await loadTokenizers(bundle);
  const knownWords = await loadKnownWords(bundle);
  const backend = await chooseBackend(choice, bundle, await nodeHost(), options);
  return { backend, tokenizers, knownWords, manifest: bundle.manifest };
}
