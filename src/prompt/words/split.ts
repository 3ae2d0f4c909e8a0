/** A prompt's words as they are compared: without case, accents, punctuation. */
import { EMOJI, plainEmoji } from './emoji.ts';

export interface PromptWord {
  /** As it stands in the prompt, without the ending of a possessive. */
  readonly text: string;
  /** As it is compared. */
  readonly plain: string;
  readonly kind: 'word' | 'possessive' | 'emoji';
  /** UTF-16 offset of `text` in the prompt. */
  readonly start: number;
}

/** Letters and digits with apostrophes between them. */
const WORD = String.raw`[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*`;
const WORD_OR_EMOJI = new RegExp(`${WORD}|(?<emoji>${EMOJI.source})`, 'gu');
const POSSESSIVE = /['’]s$/i;

export function wordsOf(prompt: string): PromptWord[] {
  return Array.from(prompt.matchAll(WORD_OR_EMOJI), ({ 0: found, index: start, groups }) => {
    if (groups!['emoji'] !== undefined) {
      return { text: found, plain: plainEmoji(found), kind: 'emoji' as const, start };
    }
    const text = found.replace(POSSESSIVE, '');
    const kind = text === found ? ('word' as const) : ('possessive' as const);
    return { text, plain: plain(text), kind, start };
  }).filter(
    // A mark by itself is no word.
    (word) => word.plain !== '',
  );
}

/** The words of a name, or of a word that is written with a hyphen. */
export const plainWords = (name: string): string[] => wordsOf(name).map((word) => word.plain);

function plain(word: string): string {
  return word
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}'’]/gu, '');
}
