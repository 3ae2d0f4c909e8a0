/** The words of a prompt that a model does not know: by its vocabulary, or else by its tokenizer. */
import type { Bundle } from '../../bundle/bundle.ts';
import { readVocabulary } from '../../bundle/vocabulary.ts';
import { type Tokenizers, unspelledWords } from '../tokenize.ts';
import { KnownWords, type UnknownWord } from './known-words.ts';

/** Nothing for a bundle without a vocabulary. @throws AppError as `readVocabulary` */
export async function loadKnownWords(bundle: Bundle): Promise<KnownWords | undefined> {
  const vocabulary = await readVocabulary(bundle);
  if (!vocabulary) return undefined;
  // A chunk of its own: large, and of no use to other models.
  const { ENGLISH } = await import('./english.ts');
  return new KnownWords(vocabulary, ENGLISH);
}

export interface WordKnowledge {
  readonly tokenizers: Tokenizers;
  /** Where the bundle has a vocabulary. */
  readonly knownWords?: KnownWords | undefined;
}

export function unknownWords(
  { tokenizers, knownWords }: WordKnowledge,
  prompt: string,
): UnknownWord[] {
  if (knownWords) return knownWords.unknownIn(prompt);
  return unspelledWords(tokenizers, prompt).map((word) => ({ word, places: [], suggestions: [] }));
}
