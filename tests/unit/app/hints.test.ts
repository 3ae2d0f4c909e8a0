/** How the page follows the prompt while it is typed; the worker's reading is the real one. */
import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadTokenizers } from '../../../src/prompt/tokenize.ts';
import { type PromptReading, readPrompt } from '../../../src/prompt/reading.ts';
import { loadKnownWords } from '../../../src/prompt/words/unknown-words.ts';
import * as state from '../../../src/app/state.ts';
import {
  canUndo,
  cut,
  fixable,
  fixAll,
  hints,
  readEmoji,
  spokenCut,
  takeSuggestion,
  undoReplacement,
  watchPrompt,
} from '../../../src/app/prompt/hints.ts';
import type { EngineInfo } from '../../../src/workers/engine/api.ts';
import { openBundleFolder } from '../../../src/node/folder-bundle.ts';

const bundle = await openBundleFolder('public/models/pocket');
const knowledge = {
  tokenizers: await loadTokenizers(bundle),
  knownWords: await loadKnownWords(bundle),
};
const POCKET = bundle.manifest.text;
const FLUX = { t5Tokens: 512, clipTokens: 77 };

const lengths = signal(POCKET);
const asked: string[] = [];
/** Holds an answer back until it is called. */
let hold: Promise<void> = Promise.resolve();

vi.mock('../../../src/app/loading.ts', () => ({
  currentEngine: () => ({
    async readPrompt(prompt: string): Promise<PromptReading> {
      asked.push(prompt);
      const reading = readPrompt(knowledge, prompt, lengths.value);
      await hold;
      return reading;
    },
  }),
}));

const info = (title: string) =>
  ({ model: { title, hasVocabulary: true } }) as unknown as EngineInfo;
const ready = (title: string) => (state.engine.value = { kind: 'ready', info: info(title) });
const loading = () => (state.engine.value = { kind: 'loading', progress: undefined });
const words = () => hints.value.map(({ word }) => word);
const pause = () => vi.advanceTimersByTimeAsync(1000);
const FOXES = Array<string>(27).fill('fox').join(' ');

vi.useFakeTimers();
watchPrompt();

beforeEach(() => {
  hold = Promise.resolve();
  lengths.value = POCKET;
  loading();
  state.prompt.value = '';
});
afterEach(() => {
  asked.length = 0;
});

test('nothing is said while the model loads, and what was typed meanwhile once it is there', async () => {
  state.prompt.value = `${FOXES} zebrra cat dog`;
  await pause();
  expect([asked, words(), cut.value, spokenCut.value]).toEqual([[], [], undefined, '']);
  ready('Pocket');
  await pause();
  expect(asked).toEqual([`${FOXES} zebrra cat dog`]);
  expect(cut.value?.text).toMatch(/^The model reads up to “…fox fox fox”/);
  expect(spokenCut.value).toBe(cut.value?.text);
});

test('it is read once after a pause, and counted on with every key', async () => {
  ready('Pocket');
  const typed = `${FOXES} and a red cat`;
  for (let end = 1; end <= typed.length; end++) state.prompt.value = typed.slice(0, end);
  await pause();
  expect(asked).toEqual([typed]);
  const spoken = spokenCut.value;
  expect(spoken).toMatch(/the last word is ignored/);
  state.prompt.value = `${typed} and`;
  expect(cut.value).toMatchObject({ ignored: 'cat and' });
  expect(cut.value?.text).toMatch(/the last 2 words are ignored/);
  expect(spokenCut.value).toBe(spoken);
  state.prompt.value = FOXES;
  expect(cut.value).toBeUndefined();
});

test('another model reads it again, and an answer of the model before it is dropped', async () => {
  ready('Pocket');
  let release = (): void => undefined;
  hold = new Promise((resolve) => (release = resolve));
  state.prompt.value = `${FOXES} and a red cat`;
  await pause();
  expect(asked).toHaveLength(1);
  loading();
  lengths.value = FLUX;
  ready('FLUX.1');
  release();
  hold = Promise.resolve();
  await vi.advanceTimersByTimeAsync(1);
  expect(cut.value).toBeUndefined();
  await pause();
  expect(asked).toHaveLength(2);
  expect(cut.value).toBeUndefined();

  state.prompt.value = Array<string>(80).fill('fox').join(' ');
  await pause();
  expect(cut.value).toMatchObject({ isLoss: false, ignored: '' });
  loading();
  expect(cut.value).toBeUndefined();
});

test('all words are fixed at once, and that is undone until something else is typed', async () => {
  ready('Pocket');
  const typed = 'a pine tree, a tree, an eagle and two wolves for me';
  state.prompt.value = typed;
  await pause();
  expect(words()).toEqual(['tree', 'eagle', 'wolves']);
  expect(canUndo.value).toBe(false);
  fixAll(hints.value);
  const fixed = 'a pine tree, a pine tree, an owl and two foxes for me';
  expect(state.prompt.value).toBe(fixed);
  expect(words()).toEqual([]);
  await pause();
  expect(words()).toEqual([]);
  expect(canUndo.value).toBe(true);
  undoReplacement();
  expect(state.prompt.value).toBe(typed);
  expect(canUndo.value).toBe(false);

  await pause();
  takeSuggestion(hints.value[2]!, 'dogs');
  expect(state.prompt.value).toBe(typed.replace('wolves', 'dogs'));
  state.prompt.value += '!';
  expect(canUndo.value).toBe(false);
  undoReplacement();
  expect(state.prompt.value).toBe(`${typed.replace('wolves', 'dogs')}!`);
});

test('of the words of an image those can be fixed that the prompt still has as unknown ones', async () => {
  ready('Pocket');
  state.prompt.value = 'a tree and a wolf';
  await pause();
  const ofImage = hints.value;
  state.unknownWords.value = ofImage;
  expect(words()).toEqual([]);
  expect(fixable(ofImage).map(({ word }) => word)).toEqual(['tree', 'wolf']);
  state.prompt.value = 'a pine tree and a Wolf';
  await pause();
  expect(fixable(ofImage)).toMatchObject([{ word: 'Wolf', places: [[18, 22]] }]);
  state.unknownWords.value = [];
});

test('emoji are shown with the words that are read in their place, as long as they are there', async () => {
  ready('Pocket');
  state.prompt.value = 'a 🦊 on a 🌈';
  await pause();
  expect(readEmoji.value).toEqual([
    { emoji: '🦊', name: 'fox' },
    { emoji: '🌈', name: 'rainbow' },
  ]);
  state.prompt.value = 'a 🦊';
  expect(readEmoji.value.map(({ name }) => name)).toEqual(['fox']);
});
