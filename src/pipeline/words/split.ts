/** A prompt's words as they are compared: without case, accents, punctuation. */

export interface PromptWord {
  /** As it stands in the prompt. */
  readonly text: string;
  /** As it is compared. */
  readonly plain: string;
}

/** Letters and digits with apostrophes between them, or a single pictograph. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*|\p{Extended_Pictographic}/gu;

export function wordsOf(prompt: string): PromptWord[] {
  return Array.from(prompt.matchAll(WORD), ([text]) => ({ text, plain: plain(text) })).filter(
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
