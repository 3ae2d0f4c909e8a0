/** Where the words of a text are, in any script. */

export interface Word {
  /** Its letters, without the punctuation around them; of a run of punctuation, all of it. */
  readonly text: string;
  /** UTF-16 offsets of `text`. */
  readonly start: number;
  readonly end: number;
  /** End of the punctuation that follows it without a space. */
  readonly outerEnd: number;
}

const LETTER = String.raw`[\p{L}\p{N}\p{Extended_Pictographic}\p{RI}]`;
const LETTERS = new RegExp(LETTER, 'u');
/** From the first letter to the last, with the marks on it. */
const CORE = new RegExp(
  String.raw`${LETTER}(?:.*${LETTER})?(?:\p{M}|\p{EMod}|\u200D|[\u{E0020}-\u{E007F}])*`,
  'su',
);
const ASCII = /^[!-~]*$/;

/** Segmenters take time that grows with the square of a text's length. */
const MOST_SEGMENTED = 500;

/**
 * Words between spaces, such as "black-and-white" or "don't". Emoji are words of their own, and so are
 * the words of scripts that are written without spaces.
 */
export function wordsIn(text: string): Word[] {
  return Array.from(text.matchAll(/\S+/gu), ({ 0: chunk, index }) =>
    (ASCII.test(chunk) ? [chunk] : parted(chunk)).map((part) => {
      const word = wordOf(part, index);
      index += part.length;
      return word;
    }),
  ).flat();
}

/** A text without spaces, cut where a word follows another. */
function parted(chunk: string): string[] {
  const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
  const parts: string[] = [];
  let last = '';
  for (let at = 0; at < chunk.length; at += MOST_SEGMENTED) {
    for (const { segment } of segmenter.segment(chunk.slice(at, at + MOST_SEGMENTED))) {
      if (parts.length === 0 || (LETTERS.test(segment) && LETTERS.test(last))) parts.push(segment);
      else parts.push(parts.pop()! + segment);
      last = segment;
    }
  }
  return parts;
}

function wordOf(chunk: string, start: number): Word {
  const outerEnd = start + chunk.length;
  const core = CORE.exec(chunk);
  if (!core) return { text: chunk, start, end: outerEnd, outerEnd };
  const [text] = core;
  const at = start + core.index;
  return { text, start: at, end: at + text.length, outerEnd };
}

/** Words with letters, digits or emoji; a lone dash is none. */
export function countWords(text: string): number {
  return wordsIn(text).filter((word) => LETTERS.test(word.text)).length;
}
