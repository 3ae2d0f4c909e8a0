/** What a model makes of a prompt before it draws: the words that reach its text encoders. */
import type { TextLengths } from './tokenize.ts';
import { type Cut, findCut } from './cut.ts';
import type { ReadEmoji } from './words/emoji.ts';
import type { UnknownWord } from './words/known-words.ts';
import { unknownWords, type WordKnowledge } from './words/unknown-words.ts';

/** Of each text encoder, where it stops reading; null for one that reads all of the prompt. */
export interface PromptCuts {
  /** T5, whose tokens say what is drawn. */
  readonly t5: Cut | null;
  /** CLIP, of which the model takes one vector for the whole text: the overall look. */
  readonly clip: Cut | null;
}

export interface PromptReading {
  /** The prompt with words in the place of emoji: what is tokenized. */
  readonly encodedPrompt: string;
  readonly emoji: readonly ReadEmoji[];
  /** Of the part that any encoder reads. */
  readonly unknownWords: readonly UnknownWord[];
  readonly cuts: PromptCuts;
}

export function readPrompt(
  knowledge: WordKnowledge,
  prompt: string,
  { t5Tokens, clipTokens }: TextLengths,
): PromptReading {
  const { tokenizers, knownWords } = knowledge;
  const read = (text: string) => knownWords?.read(text) ?? { text, emoji: [] };
  const t5 = findCut(prompt, (text) => tokenizers.t5.encode(read(text).text).ids, t5Tokens);
  const clip = findCut(prompt, (text) => tokenizers.clip.encode(read(text).text).ids, clipTokens);
  const end = t5 && clip ? Math.max(t5.end, clip.end) : prompt.length;
  const { text: encodedPrompt, emoji } = read(prompt);
  return {
    encodedPrompt,
    emoji,
    unknownWords: unknownWords(knowledge, prompt.slice(0, end)),
    cuts: { t5, clip },
  };
}
