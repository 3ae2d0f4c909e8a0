/** How the model reads the prompt, shown a moment after it is typed. */
import { batch, computed, effect, signal } from '@preact/signals';
import type { PromptReading, UnknownWord } from '../../workers/engine/api.ts';
import { currentEngine } from '../loading.ts';
import { promptField } from './prompt-field.ts';
import * as state from '../state.ts';
import { type ShownCut, shownCut } from './cut.ts';
import { mentions, replaceAll } from './edit.ts';

/** Long enough not to speak into a word that is being typed. */
const PAUSE_MS = 600;

interface Read {
  /** What was read: the prompt as it stood in its field. */
  readonly prompt: string;
  readonly reading: PromptReading;
}

/** The newest reading by the loaded model; undefined until there is one. */
const read = signal<Read | undefined>(undefined);

/** Unknown words that still stand in the prompt, and that no image's notice names already. */
export const hints = computed<readonly UnknownWord[]>(() => {
  // By the tokenizer alone there is nothing to suggest.
  if (!read.value || !state.info.value?.model.hasVocabulary) return [];
  const told = new Set(state.unknownWords.value.map(({ word }) => word));
  return read.value.reading.unknownWords.filter(
    ({ word }) => !told.has(word) && mentions(state.prompt.value, word),
  );
});

/**
 * Those of the words that can be replaced in the prompt as it stands now, with where they are in it. An
 * image's words may be known in the prompt of the next, as "tree" is in "pine tree".
 */
export function fixable(words: readonly UnknownWord[]): readonly UnknownWord[] {
  const wanted = new Set(words.map(({ word }) => word.toLowerCase()));
  return (read.value?.reading.unknownWords ?? []).filter(
    ({ word, suggestions }) =>
      suggestions.length > 0 &&
      wanted.has(word.toLowerCase()) &&
      mentions(state.prompt.value, word),
  );
}

export const readEmoji = computed(() =>
  (read.value?.reading.emoji ?? []).filter(({ emoji }) => state.prompt.value.includes(emoji)),
);

/** As the prompt stands now; undefined also while it is not known for a changed beginning. */
export const cut = computed<ShownCut | undefined>(
  () => read.value && shownCut(read.value.prompt, read.value.reading.cuts, state.prompt.value),
);

/** The cut as it was read, for screen readers: a count that moves with every key would never end. */
export const spokenCut = computed<string>(
  () =>
    (read.value && shownCut(read.value.prompt, read.value.reading.cuts, read.value.prompt)?.text) ??
    '',
);

export function watchPrompt(): void {
  let timer: ReturnType<typeof setTimeout>;
  let newest = 0;
  let model: unknown;
  effect(() => {
    const prompt = state.prompt.value;
    const info = state.info.value;
    const mine = ++newest;
    clearTimeout(timer);
    // Another model reads in another way.
    if (info !== model) read.value = undefined;
    model = info;
    if (!info) return;
    const check = async () => {
      const reading = await currentEngine()?.readPrompt(prompt);
      if (mine === newest) read.value = reading && { prompt, reading };
    };
    // A hint that cannot be had is none; asked for an image, the engine says what is wrong.
    timer = setTimeout(() => void check().catch(() => undefined), PAUSE_MS);
  });
}

/** The prompt before the last replacement, and after it. */
const replaced = signal<{ readonly before: string; readonly after: string } | undefined>(undefined);

/** Whether nothing was typed since the last replacement. */
export const canUndo = computed(() => replaced.value?.after === state.prompt.value);

/** Writes a suggestion into the prompt in the place of a word. */
export function takeSuggestion(unknown: UnknownWord, suggestion: string): void {
  replace([{ ...unknown, by: suggestion }], `${suggestion} replaces ${unknown.word}.`);
}

/** Writes the first suggestion for each of the words into the prompt. */
export function fixAll(words: readonly UnknownWord[]): void {
  const fixes = words.map((unknown) => ({ ...unknown, by: unknown.suggestions[0]! }));
  const list = fixes.map(({ word, by }) => `${by} replaces ${word}`).join(', ');
  replace(fixes, `${list}.`);
}

export function undoReplacement(): void {
  if (!replaced.value || !canUndo.value) return;
  const { before } = replaced.value;
  batch(() => {
    state.prompt.value = before;
    replaced.value = undefined;
    state.announcement.value = 'The prompt is as it was.';
  });
  promptField.current?.focus();
}

function replace(replacements: Parameters<typeof replaceAll>[1], announcement: string): void {
  const before = state.prompt.value;
  const after = replaceAll(before, replacements);
  const gone = new Set(replacements.map(({ word }) => word));
  batch(() => {
    state.prompt.value = after;
    read.value = read.value && without(read.value, gone);
    replaced.value = { before, after };
    state.announcement.value = announcement;
  });
  // The button is gone with the word.
  promptField.current?.focus();
}

/** Until the prompt is read again: what a word was replaced by may contain it. */
function without({ prompt, reading }: Read, words: ReadonlySet<string>): Read {
  const unknownWords = reading.unknownWords.filter(({ word }) => !words.has(word));
  return { prompt, reading: { ...reading, unknownWords } };
}
