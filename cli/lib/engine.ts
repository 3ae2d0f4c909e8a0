/** The engine in Node: the same pipeline and backends as in the browser. */
import {
  type BackendChoice,
  type BackendOptions,
  chooseBackend,
} from '../../src/runtime/choose.ts';
import type { Bundle } from '../../src/bundle/bundle.ts';
import type { Engine } from '../../src/sampling/generate.ts';
import { loadTokenizers } from '../../src/prompt/tokenize.ts';
import { loadKnownWords } from '../../src/prompt/words/unknown-words.ts';
import { nodeHost } from '../../src/node/ort.ts';

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
