import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shownCut } from '../../../src/app/prompt/cut.ts';
import { mentions, replaceAll, spaced } from '../../../src/app/prompt/edit.ts';
import { namesMatching } from '../../../src/app/prompt/find.ts';

const replaceWord = (prompt: string, word: string, by: string): string =>
  replaceAll(prompt, [{ word, places: [], by }]);

describe('a word is replaced', () => {
  test.each([
    ['an appel on blue', 'appel', 'apple', 'an apple on blue'],
    ['Appel, APPEL (appel)', 'appel', 'red apple', 'red apple, red apple (red apple)'],
    ['appeling and sappel', 'appel', 'apple', 'appeling and sappel'],
    ['éfox fox', 'fox', 'cat', 'éfox cat'],
    ['a c++ fox', 'c++', '$&', 'a $& fox'],
    ['an eagle and A wolf', 'eagle', 'penguin', 'a penguin and A wolf'],
    ['a bird', 'bird', 'owl', 'an owl'],
    ['A horse', 'horse', 'unicorn', 'A unicorn'],
    ['a 🐺!', '🐺', 'fox', 'a fox!'],
  ])('%s: %s by %s', (prompt, word, by, expected) => {
    expect(replaceWord(prompt, word, by)).toBe(expected);
  });

  test('for any texts without failing, and where it is not there nothing changes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1, maxLength: 3 }), (prompt, word) => {
        const replaced = replaceWord(prompt, word, 'fox');
        if (!mentions(prompt, word)) expect(replaced).toBe(prompt);
        else if (!mentions('fox', word)) expect(replaced).not.toBe(prompt);
      }),
    );
  });

  test('where it was read, not within a name that is known', () => {
    const prompt = 'a pine tree and a tree';
    const tree = { word: 'tree', places: [[18, 22]] as const, by: 'pine tree' };
    expect(replaceAll(prompt, [tree])).toBe('a pine tree and a pine tree');
    // Something was typed before it since.
    expect(replaceAll(`big tree, ${prompt}`, [{ ...tree, by: 'rose' }])).toBe(
      'big rose, a pine rose and a rose',
    );
  });

  test('together with others, none of which changes what another has put in', () => {
    const replacements = [
      { word: 'tree', places: [[4, 8]] as const, by: 'pine tree' },
      { word: 'pine', places: [[13, 17]] as const, by: 'tree' },
    ];
    expect(replaceAll('the tree the pine', replacements)).toBe('the pine tree the tree');
  });
});

describe('the cut of a prompt that is being typed', () => {
  const cut = (end: number, ignoredWords: number) => ({
    word: 'house',
    end,
    partial: false,
    ignoredWords,
  });
  const cuts = { t5: cut(15, 2), clip: cut(15, 2) };
  const prompt = 'a fox a a house and more';

  test('is counted again without being read again', () => {
    expect(shownCut(prompt, cuts, prompt)?.text).toMatch(/last 2 words are ignored/);
    expect(shownCut(prompt, cuts, `${prompt} words`)).toMatchObject({
      text: expect.stringMatching(/last 3 words/) as string,
      ignored: 'and more words',
    });
    expect(shownCut(prompt, cuts, 'a fox a a house.')).toBeUndefined();
  });

  test('is unknown where its beginning has changed', () => {
    expect(shownCut(prompt, cuts, `the ${prompt}`)).toBeUndefined();
    expect(shownCut(prompt, cuts, 'a fox a a houses and more')).toBeUndefined();
    expect(shownCut(prompt, { t5: null, clip: cut(15, 2) }, `${prompt} words`)).toBeUndefined();
  });
});

test('part of another word is no mention', () => {
  expect(mentions('two foxxes', 'foxx')).toBe(false);
  expect(mentions('two (FOXX)', 'foxx')).toBe(true);
});

test.each([
  ['', '', 'fox'],
  ['a', '', ' fox'],
  ['a ', 'on blue', 'fox '],
  ['a', 'on blue', ' fox '],
  ['a (', ') on', 'fox'],
  ['a\n', ', red', 'fox'],
])('between "%s" and "%s" stands "%s"', (before, after, expected) => {
  expect(spaced(before, 'fox', after)).toBe(expected);
});

test('concepts are found by any of their names, beginnings first', () => {
  const concepts = [
    ['pineapple'],
    ['red apple', 'apple'],
    ['Apple pie'],
    ['cat', 'kitty'],
    ['cat', 'tom'],
  ];
  expect(namesMatching(concepts, ' APPLE')).toEqual(['red apple', 'Apple pie', 'pineapple']);
  expect(namesMatching(concepts, 'kit')).toEqual(['cat']);
  expect(namesMatching(concepts, '')).toEqual(['pineapple', 'red apple', 'Apple pie', 'cat']);
  expect(namesMatching(concepts, 'zebra')).toEqual([]);
});
