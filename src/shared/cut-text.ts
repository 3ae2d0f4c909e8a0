/** Says up to which word text encoders read a prompt, for the page and the command line. */
import { wordsIn } from './words.ts';

interface Cut {
  readonly end: number;
  readonly partial: boolean;
  readonly ignoredWords: number;
}

/** Enough of the words before to find the place. */
const SHOWN_WORDS = 3;
const SHOWN_CHARACTERS = 40;

/**
 * @param t5,clip where the encoders stop reading the prompt, null for one that reads all of it. T5 says
 * what is drawn; CLIP gives one vector for the whole text, which sets the overall look.
 * @returns empty if both read everything
 */
export function cutText(prompt: string, t5: Cut | null, clip: Cut | null): string {
  const upTo = (cut: Cut): string => quoteEnd(prompt, cut);
  if (!t5) {
    return clip
      ? `All of it says what is drawn; for the overall look, the model reads up to ${upTo(clip)}.`
      : '';
  }
  const reads = `The model reads up to ${upTo(t5)}`;
  if (t5.ignoredWords === 0) return `${reads}.`;
  if (!clip) return `${reads}; ${lastWords(t5.ignoredWords)} read only for the overall look.`;
  const heard = t5.ignoredWords - clip.ignoredWords;
  if (heard <= 0 || clip.ignoredWords === 0)
    return `${reads}; ${lastWords(t5.ignoredWords)} ignored.`;
  return `${reads}, and up to ${upTo(clip)} for the overall look; ${lastWords(clip.ignoredWords)} ignored.`;
}

function lastWords(count: number): string {
  return count === 1 ? 'the last word is' : `the last ${count} words are`;
}

function quoteEnd(prompt: string, { end, partial }: Cut): string {
  const words = wordsIn(prompt.slice(0, end));
  const [first] = words.slice(-SHOWN_WORDS);
  const read = prompt.slice(first?.start ?? 0, end).replace(/\s+/gu, ' ');
  const shown = Array.from(read).slice(-SHOWN_CHARACTERS).join('');
  const before = words.length > SHOWN_WORDS || shown.length < read.length ? '…' : '';
  return `${partial ? 'the beginning of the last word of ' : ''}“${before}${shown}”`;
}
