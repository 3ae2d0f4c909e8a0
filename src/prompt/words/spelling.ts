/** Typing errors: how many lie between two words, and how many still leave a word recognisable. */
import { distance } from 'fastest-levenshtein';

/**
 * Typing errors between a typed word and a term, or undefined if there are more than anybody makes in
 * words of that length. The first letter is rarely wrong; in a short word one wrong letter makes
 * another word.
 *
 * @param word,term plain, as `wordsOf` gives them
 */
export function typingErrors(word: string, term: string): number | undefined {
  const length = Math.min(word.length, term.length);
  const allowed = errorsAllowed(length);
  if (Math.abs(word.length - term.length) > allowed) return undefined;
  const errors = errorsBetween(word, term, allowed);
  if (errors > allowed) return undefined;
  if (length === 3 && !isSlip(word, term)) return undefined;
  const needsStart = errors > 1 || (errors === 1 && length < 7);
  return needsStart && !startsAlike(word, term) ? undefined : errors;
}

function errorsAllowed(length: number): number {
  if (length < 3) return 0;
  if (length < 6) return 1;
  return length < 12 ? 2 : 3;
}

/** Letters that were swapped, doubled or left out, none that is new. */
function isSlip(word: string, term: string): boolean {
  return (
    Array.from(word).every((letter) => term.includes(letter)) && term.length <= word.length + 1
  );
}

/** The same first letter, or the first two swapped. */
function startsAlike(word: string, term: string): boolean {
  return word[0] === term[0] || (word[0] === term[1] && word[1] === term[0]);
}

/**
 * Damerau-Levenshtein distance: two neighbours that changed places are one error, which Levenshtein's
 * distance counts as two. At most one such pair is looked for.
 */
function errorsBetween(word: string, term: string, allowed: number): number {
  let least = distance(word, term);
  if (least < 2 || least > allowed + 1) return least;
  for (let i = 0; i + 1 < word.length; i++) {
    if (word[i] === word[i + 1] || !term.includes(word[i + 1]! + word[i]!)) continue;
    const swapped = word.slice(0, i) + word[i + 1] + word[i] + word.slice(i + 2);
    least = Math.min(least, 1 + distance(swapped, term));
  }
  return least;
}
