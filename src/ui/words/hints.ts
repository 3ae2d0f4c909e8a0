/** Words of the prompt that the model does not know, told a moment after they are typed. */
import { batch, computed, effect, signal } from '@preact/signals';
import type { UnknownWord } from '../../worker/api.ts';
import { currentEngine } from '../loading.ts';
import { promptField } from '../prompt-field.ts';
import * as state from '../state.ts';
import { mentions, replaceWord } from './edit.ts';

/** Long enough not to speak into a word that is being typed. */
const PAUSE_MS = 600;

const found = signal<readonly UnknownWord[]>([]);

/** Those that still stand in the prompt, and that no picture's notice has told already. */
export const hints = computed(() => {
  const told = new Set(state.unknownWords.value.map(({ word }) => word));
  return found.value.filter(({ word }) => !told.has(word) && mentions(state.prompt.value, word));
});

/** Only for a model with a vocabulary: by the tokenizer alone there is nothing to suggest. */
export function watchPrompt(): void {
  let timer: ReturnType<typeof setTimeout>;
  let newest = 0;
  effect(() => {
    const prompt = state.prompt.value;
    const model = state.info.value?.model;
    const mine = ++newest;
    clearTimeout(timer);
    if (!model?.hasVocabulary) {
      found.value = [];
      return;
    }
    const check = async () => {
      const words = (await currentEngine()?.unknownWords(prompt)) ?? [];
      if (mine === newest) found.value = words;
    };
    // A hint that cannot be had is none; asked for a picture, the engine says what is wrong.
    timer = setTimeout(() => void check().catch(() => undefined), PAUSE_MS);
  });
}

/** Writes a suggestion into the prompt, and goes there, since its button is gone with the word. */
export function takeSuggestion(word: string, suggestion: string): void {
  batch(() => {
    state.prompt.value = replaceWord(state.prompt.value, word, suggestion);
    state.announcement.value = `${suggestion} stands in the prompt in place of ${word}.`;
  });
  promptField.current?.focus();
}
