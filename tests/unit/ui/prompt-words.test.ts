import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mentions, replaceWord, spaced } from '../../../src/ui/words/edit.ts';
import { namesMatching } from '../../../src/ui/words/find.ts';

describe('a word is replaced', () => {
  test.each([
    ['an appel on blue', 'appel', 'apple', 'an apple on blue'],
    ['Appel, APPEL (appel)', 'appel', 'red apple', 'red apple, red apple (red apple)'],
    ['appeling and sappel', 'appel', 'apple', 'appeling and sappel'],
    ['éfox fox', 'fox', 'cat', 'éfox cat'],
    ['a c++ fox', 'c++', '$&', 'a $& fox'],
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
