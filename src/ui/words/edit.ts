/** Changes to a prompt's text. */

const LETTER = String.raw`[\p{L}\p{M}\p{N}]`;

/** The prompt with another word everywhere in the place of one. */
export function replaceWord(prompt: string, word: string, by: string): string {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const whole = new RegExp(`(?<!${LETTER})${escaped}(?!${LETTER})`, 'giu');
  return prompt.replace(whole, () => by);
}

export const mentions = (prompt: string, word: string): boolean =>
  prompt.toLowerCase().includes(word.toLowerCase());

/** A name with the spaces that it needs between what stands before and after it. */
export function spaced(before: string, name: string, after: string): string {
  const left = before === '' || /[\s(]$/.test(before) ? '' : ' ';
  const right = after === '' || /^[\s,.;:!?)]/.test(after) ? '' : ' ';
  return left + name + right;
}
