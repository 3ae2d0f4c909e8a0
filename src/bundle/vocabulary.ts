/** The words that a model was trained on, where a bundle lists them: a file of its own. */
import * as v from 'valibot';
import type { Bundle } from './bundle.ts';
import { parseJson } from './json.ts';

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
const term = v.pipe(text, v.regex(/[\p{L}\p{N}]/u, 'has neither letters nor digits'));

export const vocabularySchema = v.object({
  /** Names of each thing that the model draws, the primary one first. */
  concepts: v.pipe(
    v.array(v.pipe(v.array(term), v.minLength(1), v.maxLength(100))),
    v.minLength(1),
    v.maxLength(20_000),
  ),
  /** All other words that it was trained on. Several in one entry, "8 bit", are known together only. */
  words: v.pipe(v.array(term), v.maxLength(100_000)),
  /** Emoji of what the model draws, and the words to read in their place. */
  emoji: v.optional(v.record(text, term)),
  /** Words and emoji that the model does not know, and known names near in meaning, the nearest first. */
  related: v.optional(v.record(text, v.pipe(v.array(term), v.minLength(1), v.maxLength(10)))),
});

export type Vocabulary = v.InferOutput<typeof vocabularySchema>;

/** Nothing for a bundle without one. @throws AppError `bad-bundle` that names the field; as `Bundle.read`. */
export async function readVocabulary(bundle: Bundle): Promise<Vocabulary | undefined> {
  const path = bundle.manifest.vocabulary;
  if (path === undefined) return undefined;
  return parseJson(vocabularySchema, new TextDecoder().decode(await bundle.read(path)), path);
}
