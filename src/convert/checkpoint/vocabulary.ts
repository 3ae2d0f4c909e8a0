/** The vocabulary that may lie beside a model's weights: the words that it was trained on. */
import { vocabularySchema } from '../../bundle/vocabulary.ts';
import { readConfig } from './configs.ts';
import { readText, type Source } from '../files.ts';

/** In a model's folder, and in a bundle. */
export const VOCABULARY = 'vocabulary.json';

/**
 * The file's text, if there is one.
 * @throws AppError `bad-checkpoint` that names the field, if it is malformed.
 */
export async function readVocabularyFile(from: Source): Promise<string | undefined> {
  if (!(await from.has(VOCABULARY))) return undefined;
  await readConfig(from, VOCABULARY, vocabularySchema);
  return readText(from, VOCABULARY);
}
