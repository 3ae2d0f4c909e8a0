/** What the command line says about a prompt before it becomes an image. */
import { cutText } from '../../src/shared/cut-text.ts';
import type { Engine } from '../../src/sampling/generate.ts';
import { type PromptReading, readPrompt } from '../../src/prompt/reading.ts';
import type { UnknownWord } from '../../src/prompt/words/known-words.ts';

/** One line each: where the model stops reading, which words it does not know, how it reads emoji. */
export function promptNotes(
  prompt: string,
  { cuts, unknownWords, emoji }: PromptReading,
): string[] {
  const cut = cutText(prompt, cuts.t5, cuts.clip);
  const negations = unknownWords.filter(({ negates }) => negates).map(({ word }) => word);
  return [
    ...(cut === '' ? [] : [cut]),
    ...(unknownWords.length === 0
      ? []
      : [`The model does not know: ${unknownWords.map(withSuggestions).join(', ')}`]),
    ...(negations.length === 0
      ? []
      : [`What follows ${negations.join(', ')} may be drawn all the same.`]),
    ...emoji.map(({ emoji: shown, name }) => `Reads ${shown} as “${name}”.`),
  ];
}

/** `appel (apple? green apple?)` */
function withSuggestions({ word, suggestions }: UnknownWord): string {
  if (suggestions.length === 0) return word;
  return `${word} (${suggestions.map((name) => `${name}?`).join(' ')})`;
}

/** The prompts of a list that are longer than the model reads, and what there is to say about each. */
export function cutPrompts(
  engine: Omit<Engine, 'backend'>,
  prompts: readonly { readonly prompt: string }[],
): { index: number; note: string }[] {
  return prompts.flatMap(({ prompt }, index) => {
    const { cuts } = readPrompt(engine, prompt, engine.manifest.text);
    const text = cutText(prompt, cuts.t5, cuts.clip);
    return text === '' ? [] : [{ index, note: `Prompt ${index}: ${text}` }];
  });
}
