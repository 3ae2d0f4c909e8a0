/** How much of a prompt a text encoder reads. */
import { countWords, wordsIn } from '../shared/words.ts';

/** Where a text encoder stops reading a prompt that is longer than its input. */
export interface Cut {
  /** The last word that is read. */
  readonly word: string;
  /** UTF-16 offset in the prompt at which that word ends: what follows changes nothing. */
  readonly end: number;
  /** Whether the encoder reads only the first letters of that word. */
  readonly partial: boolean;
  /** Number of words after it. */
  readonly ignoredWords: number;
}

/**
 * @param encode token ids of a text, its end token included, neither padded nor cut
 * @param limit number of ids that the encoder takes; of a longer text it takes the first limit - 1
 * and the end token
 * @returns null if the encoder reads every word
 */
export function findCut(
  prompt: string,
  encode: (text: string) => readonly number[],
  limit: number,
): Cut | null {
  const all = encode(prompt);
  if (all.length <= limit) return null;
  const read = all.slice(0, limit - 1);
  const readsTheSame = (end: number): boolean => {
    const ids = encode(prompt.slice(0, end));
    return ids.length >= limit && read.every((id, i) => ids[i] === id);
  };

  // Punctuation may be tokens too, so a word may end before it or after it.
  const ends = [...new Set(wordsIn(prompt).flatMap(({ end, outerEnd }) => [end, outerEnd]))];
  const end = ends[firstWhere(ends.length, limit, (i) => readsTheSame(ends[i]!))]!;
  const word = wordsIn(prompt.slice(0, end)).at(-1)!;
  const partial = encode(prompt.slice(0, word.end)).length > limit;
  const ignoredWords = countWords(prompt.slice(end));
  return partial || ignoredWords > 0 ? { word: word.text, end, partial, ignoredWords } : null;
}

/**
 * The first index that a monotonic test holds for; the last one is assumed to pass. Doubling from
 * `guess` keeps the tested texts short where the answer lies near the beginning.
 */
function firstWhere(length: number, guess: number, test: (index: number) => boolean): number {
  let low = 0;
  let high = Math.min(guess, length - 1);
  while (high < length - 1 && !test(high)) {
    low = high + 1;
    high = Math.min(2 * high, length - 1);
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}
