/** The words that a model was trained on, where a bundle tells them: a file of its own. */
import * as v from 'valibot';
import type { Bundle } from './bundle.ts';
import { parseJson } from './json.ts';

const term = v.pipe(
  v.string(),
  v.maxLength(100),
  v.regex(/[\p{L}\p{N}]/u, 'has neither letters nor digits'),
);

export const vocabularySchema = v.object({
  /** Names of each thing that the model draws, the primary one first. */
  concepts: v.pipe(
    v.array(v.pipe(v.array(term), v.minLength(1), v.maxLength(100))),
    v.minLength(1),
    v.maxLength(20_000),
  ),
  /** All other words that it was trained on. */
  words: v.pipe(v.array(term), v.maxLength(100_000)),
});

export type Vocabulary = v.InferOutput<typeof vocabularySchema>;

/** Nothing for a bundle without one. @throws AppError `bad-bundle` that names the field; as `Bundle.read`. */
export async function readVocabulary(bundle: Bundle): Promise<Vocabulary | undefined> {
  const path = bundle.manifest.vocabulary;
  if (path === undefined) return undefined;
  return parseJson(vocabularySchema, new TextDecoder().decode(await bundle.read(path)), path);
}
