/** Changes to a prompt's text. */

// As constants: browsers take their time to compile sets this large.
const LETTER_BEFORE = /[\p{L}\p{M}\p{N}]$/u;
const LETTER_AFTER = /^[\p{L}\p{M}\p{N}]/u;

/** UTF-16 offsets in a text. */
export type Place = readonly [start: number, end: number];

export interface Replacement {
  readonly word: string;
  /** Where the word was when the prompt was read. */
  readonly places: readonly Place[];
  readonly by: string;
}

/**
 * The prompt with all replacements made at once, so that none changes what another has put in. A word
 * that is no longer where it was is replaced wherever it stands.
 */
export function replaceAll(prompt: string, replacements: readonly Replacement[]): string {
  const edits = replacements.flatMap(({ word, places, by }) =>
    placesOf(prompt, word, places).map(([start, end]) => ({ start, end, by })),
  );
  let text = '';
  let at = 0;
  for (const { start, end, by } of edits.toSorted((a, b) => a.start - b.start)) {
    if (start < at) continue;
    text = withArticle(text + prompt.slice(at, start), by) + by;
    at = end;
  }
  return text + prompt.slice(at);
}

/** Whether the word stands in the prompt, not as a part of another. */
export function mentions(prompt: string, word: string): boolean {
  return mentionsOf(prompt, word).length > 0;
}

function placesOf(prompt: string, word: string, places: readonly Place[]): readonly Place[] {
  const mentioned = mentionsOf(prompt, word);
  const isThere = ([start, end]: Place): boolean =>
    mentioned.some(([from, to]) => from === start && to === end);
  return places.length > 0 && places.every(isThere) ? places : mentioned;
}

function mentionsOf(prompt: string, word: string): Place[] {
  return Array.from(prompt.matchAll(anywhere(word)), ({ 0: found, index }): Place => {
    return [index, index + found.length];
  }).filter(([start, end]) => isWhole(prompt, start, end));
}

function anywhere(word: string): RegExp {
  return new RegExp(word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`), 'giu');
}

function isWhole(text: string, from: number, to: number): boolean {
  return !LETTER_BEFORE.test(text.slice(0, from)) && !LETTER_AFTER.test(text.slice(to));
}

/** "an" where "a" stood before another word, and the other way round. */
function withArticle(before: string, word: string): string {
  const right = /^(?:[aeiou](?!ni|u|ne))/i.test(word) ? 'n' : '';
  return before.replace(/(?<![\p{L}\p{M}\p{N}])(a)n?(\s+)$/iu, `$1${right}$2`);
}

/** A name with the spaces that it needs between what stands before and after it. */
export function spaced(before: string, name: string, after: string): string {
  const left = before === '' || /[\s(]$/.test(before) ? '' : ' ';
  const right = after === '' || /^[\s,.;:!?)]/.test(after) ? '' : ' ';
  return left + name + right;
}
