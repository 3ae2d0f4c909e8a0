/** The words that a model was trained on, where a bundle tells them: a file of its own. */
import * as v from 'valibot';
import { AppError } from '../errors.ts';
import type { Bundle } from './bundle.ts';

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
  return parseVocabulary(new TextDecoder().decode(await bundle.read(path)), path);
}

function parseVocabulary(text: string, path: string): Vocabulary {
  const hint = 'Convert or download the bundle again.';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('bad-bundle', `${path} is not valid JSON.`, hint, { cause });
  }
  const result = v.safeParse(vocabularySchema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? 'the top level';
  throw new AppError('bad-bundle', `${path}: ${field}: ${issue.message}`, hint);
}
