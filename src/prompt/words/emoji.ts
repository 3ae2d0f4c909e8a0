/** Emoji in a prompt: which they are, and the words that stand for them. */

const PART = String.raw`\p{Extended_Pictographic}[\uFE0E\uFE0F\p{EMod}]*`;
/** One emoji with all that varies it: skin tone, gender, what it is joined with; a flag; a tag sequence. */
export const EMOJI = new RegExp(
  String.raw`\p{RI}\p{RI}|${PART}(?:[\u{E0020}-\u{E007F}]+|(?:\u200D${PART})*)`,
  'gu',
);

/** A digit or sign in a box. */
const KEYCAP = /([0-9#*])\uFE0F?\u20E3/gu;

/** Pictographs that are signs within text. */
const SIGNS = new Set(['©', '®', '™']);

/**
 * The same for all variants of an emoji: without its skin tone, the gender of its person and the mark
 * that asks for a picture or a letter. Empty for a sign that is no emoji.
 */
export function plainEmoji(emoji: string): string {
  const plain = emoji
    .replace(/[\uFE0E\uFE0F\p{EMod}]/gu, '')
    .replace(/\u200D[♀♂]$/u, '')
    .replace(/^[👨👩](?=\u200D)/u, '🧑');
  return SIGNS.has(plain) ? '' : plain;
}

/** Emoji of a prompt, as they stand there, and the words that are read in their place. */
export interface ReadEmoji {
  readonly emoji: string;
  readonly name: string;
}

export interface EmojiNames {
  /** All names of what an emoji shows, the one to read first; none for one that is unknown. */
  namesOf(emoji: string): readonly string[];
  /** What to read for that many in a row. */
  counted(name: string, count: number): string;
  /** Whether a text ends (`before`) or begins (`after`) with one of the names. */
  isBeside(names: readonly string[], text: string, side: 'before' | 'after'): boolean;
}

/** One emoji, or the same several times in a row. */
const RUN = new RegExp(`(${EMOJI.source})(?:\\s*\\1)*`, 'gu');

/**
 * The prompt with words in the place of emoji that have some, set apart by spaces. An emoji beside
 * its own name only decorates it and is left out: twice the name would ask for two.
 */
export function readEmoji(prompt: string, names: EmojiNames): { text: string; emoji: ReadEmoji[] } {
  const found = new Map<string, ReadEmoji>();
  let text = '';
  let at = 0;
  for (const { 0: run, 1: emoji, index } of prompt.matchAll(RUN)) {
    const all = names.namesOf(emoji!);
    if (all.length === 0) continue;
    const count = run.split(emoji!).length - 1;
    const name = names.counted(all[0]!, count);
    found.set(run, { emoji: run, name });
    text += prompt.slice(at, index);
    at = index + run.length;
    const after = prompt.slice(at);
    if (!names.isBeside(all, text, 'before') && !names.isBeside(all, after, 'after')) {
      text = spacedOut(text, name, after);
    } else if (/^\s/.test(after)) {
      text = text.trimEnd();
    }
  }
  text = (text + prompt.slice(at)).replace(KEYCAP, '$1');
  // What was left out may have stood at an end.
  return { text: found.size > 0 ? text.trim() : text, emoji: [...found.values()] };
}

function spacedOut(before: string, name: string, after: string): string {
  const left = before === '' || /[\s\p{Ps}\p{Pi}]$/u.test(before) ? '' : ' ';
  const right = after === '' || /^[\s,.;:!?\p{Pe}\p{Pf}]/u.test(after) ? '' : ' ';
  return before + left + name + right;
}
