/** How near two words are: by slips of the hand, by how they begin, by one within the other. */
import { distance } from 'fastest-levenshtein';

/** A word in which so many slips are made is still recognised. */
function slipsAllowed(length: number): number {
  if (length < 3) return 0;
  if (length < 6) return 1;
  return length < 12 ? 2 : 3;
}

/** Shorter beginnings and parts are shared by chance. */
const LEAST_SHARED = 3;
const LEAST_PART = 4;

/** From 0, nothing in common, to 1, the same. @param word,term as `wordsOf` gives them */
export function nearness(word: string, term: string): number {
  return Math.max(bySlips(word, term), byBeginning(word, term), byPart(word, term));
}

/** The same for slips of the hand alone. */
export function bySlips(word: string, term: string): number {
  const longer = Math.max(word.length, term.length);
  const allowed = slipsAllowed(Math.min(word.length, term.length));
  if (longer - Math.min(word.length, term.length) > allowed) return 0;
  const slips = slipsBetween(word, term, allowed);
  return slips > allowed ? 0 : 1 - slips / longer;
}

/**
 * Damerau-Levenshtein distance: two neighbours that changed places are one slip, which Levenshtein's
 * distance counts as two. At most one such pair is looked for.
 */
function slipsBetween(word: string, term: string, allowed: number): number {
  let least = distance(word, term);
  if (least < 2 || least > allowed + 1) return least;
  for (let i = 0; i + 1 < word.length; i++) {
    if (word[i] === word[i + 1] || !term.includes(word[i + 1]! + word[i]!)) continue;
    const swapped = word.slice(0, i) + word[i + 1] + word[i] + word.slice(i + 2);
    least = Math.min(least, 1 + distance(swapped, term));
  }
  return least;
}

function byBeginning(word: string, term: string): number {
  const shorter = Math.min(word.length, term.length);
  let shared = 0;
  while (shared < shorter && word[shared] === term[shared]) shared++;
  const share = (2 * shared) / (word.length + term.length);
  // A word that stops early is often meant as the whole: "croc", "stra".
  if (shared === word.length && shared >= LEAST_SHARED) return 0.9 * (0.5 + 0.5 * share);
  const enough = shared === shorter ? LEAST_SHARED : LEAST_PART;
  return shared >= enough && share >= 0.5 ? 0.9 * share : 0;
}

function byPart(word: string, term: string): number {
  const [part, whole] = word.length < term.length ? [word, term] : [term, word];
  if (part.length < LEAST_PART || !whole.includes(part)) return 0;
  const share = part.length / whole.length;
  return share >= 0.4 ? 0.8 * share + 0.1 : 0;
}
