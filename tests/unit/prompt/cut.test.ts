import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { parseTokenizer } from '../../../src/bundle/tokenizer/parse.ts';
import { vocabularySchema } from '../../../src/bundle/vocabulary.ts';
import { cutText } from '../../../src/shared/cut-text.ts';
import { readPrompt } from '../../../src/prompt/reading.ts';
import { tokenize } from '../../../src/prompt/tokenize.ts';
import { ENGLISH } from '../../../src/prompt/words/english.ts';
import { KnownWords } from '../../../src/prompt/words/known-words.ts';
import { wordsIn } from '../../../src/shared/words.ts';

const POCKET = new URL('../../../public/models/pocket/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, POCKET), 'utf8');
const { text: POCKET_LENGTHS } = JSON.parse(read('manifest.json')) as {
  text: { t5Tokens: number; clipTokens: number };
};

/** The embedded model's. */
const knowledge = {
  tokenizers: {
    t5: parseTokenizer(read('tokenizers/t5.json'), 't5.json'),
    clip: parseTokenizer(read('tokenizers/clip.json'), 'clip.json'),
  },
  knownWords: new KnownWords(
    v.parse(vocabularySchema, JSON.parse(read('vocabulary.json'))),
    ENGLISH,
  ),
};

/** Of another kind, and without a vocabulary. */
const golden = (name: string): string =>
  readFileSync(new URL(`../../golden/tokenizers/${name}`, import.meta.url), 'utf8');
const goldenKnowledge = {
  tokenizers: {
    t5: parseTokenizer(golden('t5.json'), 't5.json'),
    clip: parseTokenizer(golden('clip.json'), 'clip.json'),
  },
};

/** FLUX.1's lengths. */
const FLUX_LENGTHS = { t5Tokens: 512, clipTokens: 77 };

type Knowledge = Parameters<typeof readPrompt>[0];

const idsOf = (prompt: string, lengths: typeof FLUX_LENGTHS, by: Knowledge = knowledge) =>
  tokenize(by.tokenizers, readPrompt(by, prompt, lengths).encodedPrompt, lengths);
/** Without padding, which is the id of unknown letters too in small vocabularies. */
const readIds = (
  encoder: 't5' | 'clip',
  prompt: string,
  lengths: typeof FLUX_LENGTHS,
  by: Knowledge,
): number[] =>
  by.tokenizers[encoder]
    .encode(readPrompt(by, prompt, lengths).encodedPrompt)
    .ids.slice(0, -1)
    .slice(0, lengths[`${encoder}Tokens`] - 1);
const cutsOf = (prompt: string, lengths = POCKET_LENGTHS, by: Knowledge = knowledge) =>
  readPrompt(by, prompt, lengths).cuts;
const repeat = (count: number, text: string): string => Array<string>(count).fill(text).join(' ');

test('the embedded model reads 27 words with T5 and 30 with CLIP', () => {
  expect(cutsOf(repeat(27, 'fox'))).toEqual({ t5: null, clip: null });
  expect(cutsOf(`${repeat(27, 'fox')} cat`)).toEqual({
    t5: { word: 'fox', end: 27 * 4 - 1, partial: false, ignoredWords: 1 },
    clip: null,
  });
  const both = cutsOf(`${repeat(31, 'fox')} and a cat`);
  expect(both.t5).toMatchObject({ end: 27 * 4 - 1, ignoredWords: 7 });
  expect(both.clip).toMatchObject({ end: 30 * 4 - 1, ignoredWords: 4 });
});

test('two prompts that differ only after the reported word have the same ids', () => {
  const start = repeat(27, 'fox');
  const [a, b] = [`${start} with a red hat`, `${start} on blue stripes`];
  expect(cutsOf(a).t5!.end).toBe(start.length);
  expect(idsOf(a, POCKET_LENGTHS).t5).toEqual(idsOf(b, POCKET_LENGTHS).t5);
});

test('a word of which only the beginning is read is the reported one', () => {
  const prompt = `${repeat(26, 'fox')} zebraffantastic house`;
  expect(cutsOf(prompt).t5).toMatchObject({ word: 'zebraffantastic', partial: true });
  expect(cutsOf('x'.repeat(400)).t5).toMatchObject({ partial: true, ignoredWords: 0 });
});

test('punctuation that nothing of is read is no loss', () => {
  expect(cutsOf(`${repeat(27, 'fox')} …  `).t5).toBeNull();
  expect(cutsOf(`${repeat(26, 'fox')} fox, cat`).t5).toMatchObject({
    word: 'fox',
    end: 27 * 4 - 1,
    ignoredWords: 1,
  });
});

test('with FLUX.1 lengths CLIP stops first', () => {
  const cuts = cutsOf(repeat(80, 'fox'), FLUX_LENGTHS);
  expect(cuts).toEqual({
    t5: null,
    clip: { word: 'fox', end: 75 * 4 - 1, partial: false, ignoredWords: 5 },
  });
});

describe('for any prompt', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'fox',
      'a',
      'blue',
      'cafe,',
      'ﬁne',
      '🦊',
      '👩🏽‍🚀',
      '❤️',
      'é',
      'naïve',
      '狐狸',
      'лиса',
    ),
    fc.constantFrom(
      '—',
      '...',
      "don't",
      '“quoted”',
      '3️⃣',
      '\u200b',
      'extraordinarily',
      '🦊🦊',
      '(x)',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  );
  const gap = fc.constantFrom(' ', ' ', ' ', '  ', '\n', '\t ', '\u00a0', ', ');
  const prompt = fc
    .array(fc.tuple(word, gap), { maxLength: 60 })
    .map((parts) => parts.flat().join(''));
  const lengths = fc.constantFrom(
    POCKET_LENGTHS,
    { t5Tokens: 4, clipTokens: 9 },
    { t5Tokens: 12, clipTokens: 5 },
    FLUX_LENGTHS,
  );

  test.each([
    ['the embedded model', knowledge],
    ['other tokenizers', goldenKnowledge],
  ])('by %s, the same ids come of it cut after the reported word', (_, by: Knowledge) => {
    fc.assert(
      fc.property(prompt, lengths, (text, length) => {
        const all = idsOf(text, length, by);
        const cuts = cutsOf(text, length, by);
        for (const encoder of ['t5', 'clip'] as const) {
          const cut = cuts[encoder];
          if (!cut) continue;
          const kept = text.slice(0, cut.end);
          expect(idsOf(kept, length, by)[encoder]).toEqual(all[encoder]);
          expect(kept.endsWith(cut.word) || kept.includes(cut.word)).toBe(true);
          // Repeated emoji are read together ("two foxes"), so fewer of them read otherwise.
          if (/\p{Extended_Pictographic}/u.test(text)) continue;
          // One word less is too little.
          const before = wordsIn(kept).at(-2)?.end ?? 0;
          expect(readIds(encoder, text.slice(0, before), length, by)).not.toEqual(
            readIds(encoder, text, length, by),
          );
        }
      }),
      {
        numRuns: 150,
        examples: [["don't — 3️⃣ лиса fox naïve !0 ", { t5Tokens: 28, clipTokens: 32 }]],
      },
    );
  });

  test('of plain words a cut is reported exactly where there are more tokens than are read', () => {
    const plain = fc.array(fc.constantFrom('fox', 'blue', 'zebra', 'extraordinarily', 'qi'), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(plain, (words) => {
        const text = words.join(' ');
        const { t5, clip } = cutsOf(text);
        const { tokenizers } = knowledge;
        expect(t5 !== null).toBe(tokenizers.t5.encode(text).ids.length > POCKET_LENGTHS.t5Tokens);
        expect(clip !== null).toBe(
          tokenizers.clip.encode(text).ids.length > POCKET_LENGTHS.clipTokens,
        );
      }),
    );
  });
});

describe('in words', () => {
  const prompt = 'a fox in a red house and a cat';
  const cut = (word: string, partial = false) => {
    const end = prompt.indexOf(word) + word.length;
    return { end, partial, ignoredWords: wordsIn(prompt.slice(end)).length };
  };

  test.each([
    [null, null, ''],
    [
      cut('house'),
      cut('house'),
      'The model reads up to “…a red house”; the last 3 words are ignored.',
    ],
    [cut('and a'), cut('red'), 'The model reads up to “…house and a”; the last word is ignored.'],
    [
      cut('red'),
      cut('house'),
      'The model reads up to “…in a red”, and up to “…a red house” for the overall look; the last 3 words are ignored.',
    ],
    [
      cut('house'),
      null,
      'The model reads up to “…a red house”; the last 3 words are read only for the overall look.',
    ],
    [
      null,
      cut('house'),
      'All of it says what is drawn; for the overall look, the model reads up to “…a red house”.',
    ],
    [
      cut('a cat', true),
      null,
      'The model reads up to the beginning of the last word of “…and a cat”.',
    ],
  ])('%o and %o: %s', (t5, clip, expected) => {
    expect(cutText(prompt, t5, clip)).toBe(expected);
  });
});

test.each([
  ['a (fox), "black-and-white" — don\'t!', ['a', 'fox', 'black-and-white', '—', "don't"]],
  ['🦊🌲fox 👩🏽‍🚀!', ['🦊', '🌲', 'fox', '👩🏽‍🚀']],
  ['一只狐狸', ['一只', '狐狸']],
  ['  \n ', []],
])('the words of %s', (text, expected) => {
  const words = wordsIn(text);
  expect(words.map((one) => one.text)).toEqual(expected);
  for (const one of words) expect(text.slice(one.start, one.end)).toBe(one.text);
});
