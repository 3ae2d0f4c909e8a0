import { expect, test } from 'vitest';
import { loadTokenizers } from '../../../src/prompt/tokenize.ts';
import { readPrompt } from '../../../src/prompt/reading.ts';
import { loadKnownWords } from '../../../src/prompt/words/unknown-words.ts';
import { openBundleFolder } from '../../../src/node/folder-bundle.ts';
import { DEFAULT_BUNDLE } from '../../../cli/lib/engine.ts';
import { cutPrompts, promptNotes } from '../../../cli/lib/prompt-notes.ts';

const bundle = await openBundleFolder(DEFAULT_BUNDLE);
const engine = {
  tokenizers: await loadTokenizers(bundle),
  knownWords: await loadKnownWords(bundle),
  manifest: bundle.manifest,
};
const notesOn = (prompt: string): string[] =>
  promptNotes(prompt, readPrompt(engine, prompt, bundle.manifest.text));
const foxes = Array<string>(27).fill('fox').join(' ');

test('nothing is said about a prompt that is read and known', () => {
  expect(notesOn('a big fox on a blue background, please')).toEqual([]);
});

test('one line each for what is cut, unknown, denied and read in other words', () => {
  expect(notesOn('a 🦊 and a wolf without a hat')).toEqual([
    'The model does not know: wolf (fox? dog?), without, hat (crown?)',
    'What follows without may be drawn all the same.',
    'Reads 🦊 as “fox”.',
  ]);
  // CLIP reads three words more.
  expect(notesOn(`${foxes} and a red cat and a dragon`)).toEqual([
    'The model reads up to “…fox fox fox”, and up to “…and a red” for the overall look; ' +
      'the last 4 words are ignored.',
  ]);
});

test('of a list the prompts that are cut are named by their places', () => {
  const list = ['a fox', `${foxes} cat`, 'a cat'].map((prompt) => ({ prompt }));
  expect(cutPrompts(engine, list)).toEqual([
    {
      index: 1,
      note: 'Prompt 1: The model reads up to “…fox fox fox”; the last word is read only for the overall look.',
    },
  ]);
});
