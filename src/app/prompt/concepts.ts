/** The things that a model can draw: reading their names, writing them into the prompt. */
import { readyEngine } from '../loading.ts';
import { promptField } from './prompt-field.ts';
import { announcement, prompt } from '../state.ts';
import { spaced } from './edit.ts';
import type { Concepts } from './find.ts';

export async function readConcepts(): Promise<Concepts> {
  const { client } = await readyEngine();
  return client.concepts();
}

/** At the caret, in place of what is selected, as if it had been typed. */
export function insertName(name: string): void {
  const field = promptField.current;
  if (!field) return;
  const { value, selectionStart: from, selectionEnd: to } = field;
  field.setRangeText(spaced(value.slice(0, from), name, value.slice(to)), from, to, 'end');
  prompt.value = field.value;
  announcement.value = `${name} is in the prompt.`;
}
