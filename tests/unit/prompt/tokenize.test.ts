import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseTokenizer } from '../../../src/bundle/tokenizer/parse.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { tokenize, unspelledWords } from '../../../src/prompt/tokenize.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../golden/${name}`, import.meta.url), 'utf8');

const tokenizers = {
  t5: parseTokenizer(read('tokenizers/t5.json'), 't5.json'),
  clip: parseTokenizer(read('tokenizers/clip.json'), 'clip.json'),
};
const LENGTHS = { t5Tokens: 24, clipTokens: 24 };
const CLIP_END = 1;

/** Made by training/pipeline_goldens.py with transformers' fast tokenizers. */
const { cases } = JSON.parse(read('tokens.json')) as {
  cases: { prompt: string; t5: number[]; clip: number[] }[];
};

test.each(cases)("ids of $prompt are transformers'", ({ prompt, t5, clip }) => {
  const tokens = tokenize(tokenizers, prompt, LENGTHS);
  expect([...tokens.t5]).toEqual(t5);
  expect([...tokens.clip]).toEqual(clip);
  expect(tokens.clipEnd).toBe(clip.indexOf(CLIP_END));
});

test('other lengths pad and cut, and a cut text keeps its end token', () => {
  const short = tokenize(tokenizers, 'a big fox on a blue background', {
    t5Tokens: 4,
    clipTokens: 5,
  });
  expect([...short.t5]).toEqual([5, 15, 34, 1]);
  expect([...short.clip]).toEqual([0, 266, 309, 397, 1]);
  expect(short.clipEnd).toBe(4);
  expect(tokenize(tokenizers, 'a fox', { t5Tokens: 40, clipTokens: 30 }).t5).toHaveLength(40);
});

test.each([
  ['a big fox on a blue background', []],
  ['a Zebra and a FOX', ['Zebra']],
  ['a zebra, a zebra and a (saxophone)!', ['zebra', 'saxophone']],
  ['a 🦊 fox', ['🦊']],
  ['  ', []],
])('words of "%s" that the model never saw: %o', (prompt, expected) => {
  expect(unspelledWords(tokenizers, prompt)).toEqual(expected);
});

test('what is not a tokenizer is refused by its name', () => {
  for (const text of ['', '{}', '[1]', 'null']) {
    expect(() => parseTokenizer(text, 'tokenizer/t5.json')).toThrow(AppError);
    expect(() => parseTokenizer(text, 'tokenizer/t5.json')).toThrow(/tokenizer\/t5\.json/);
  }
});
