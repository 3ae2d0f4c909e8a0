/** Changes to a prompt's text. */

// As constants: browsers take their time to compile sets this large.
const LETTER_BEFORE = /[\p{L}\p{M}\p{N}]$/u;
const LETTER_AFTER = /^[\p{L}\p{M}\p{N}]/u;

/** The prompt with another word everywhere in the place of one. */
export function replaceWord(prompt: string, word: string, by: string): string {
  return prompt.replace(anywhere(word), (found, at: number) =>
    isWhole(prompt, at, at + found.length) ? by : found,
  );
}

/** Whether the word stands in the prompt, not as a part of another. */
export function mentions(prompt: string, word: string): boolean {
  return Array.from(prompt.matchAll(anywhere(word))).some(({ 0: found, index }) =>
    isWhole(prompt, index, index + found.length),
  );
}

function anywhere(word: string): RegExp {
  return new RegExp(word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`), 'giu');
}

function isWhole(text: string, from: number, to: number): boolean {
  return !LETTER_BEFORE.test(text.slice(0, from)) && !LETTER_AFTER.test(text.slice(to));
}

/** A name with the spaces that it needs between what stands before and after it. */
export function spaced(before: string, name: string, after: string): string {
  const left = before === '' || /[\s(]$/.test(before) ? '' : ' ';
  const right = after === '' || /^[\s,.;:!?)]/.test(after) ? '' : ' ';
  return left + name + right;
}
