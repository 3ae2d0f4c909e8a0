import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pluralOf, singularsOf } from '../../../src/prompt/words/plurals.ts';
import { typingErrors } from '../../../src/prompt/words/spelling.ts';

const word = fc.stringMatching(/^[a-e]{1,14}$/);

describe('typing errors', () => {
  test('are 0 for the same word of three letters and more, and count the same both ways', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(typingErrors(a, a)).toBe(0);
        const errors = typingErrors(a, b);
        if (Math.min(a.length, b.length) !== 3) expect(typingErrors(b, a)).toBe(errors);
        if (a !== b && errors !== undefined) expect(errors).toBeGreaterThan(0);
      }),
    );
  });

  test.each([
    ['appel', 'apple', 1],
    ['unicron', 'unicorn', 1],
    ['foxx', 'fox', 1],
    ['fxo', 'fox', 1],
    ['blu', 'blue', 1],
    ['oxf', 'fox', undefined],
    ['strawbary', 'strawberry', 2],
    ['bengiun', 'penguin', undefined],
    ['benguin', 'penguin', 1],
    // One other letter makes another short word.
    ['box', 'fox', undefined],
    ['for', 'fox', undefined],
    ['oil', 'owl', undefined],
    ['darth', 'earth', undefined],
    ['cat', 'dog', undefined],
    ['caatt', 'cat', undefined],
    ['ab', 'ba', undefined],
  ])('of %s for %s are %s', (typed, meant, expected) => {
    expect(typingErrors(typed, meant)).toBe(expected);
  });
});

test.each([
  ['foxes', 'fox'],
  ['cats', 'cat'],
  ['cherries', 'cherry'],
  ['wolves', 'wolf'],
  ['knives', 'knife'],
  ['waves', 'wave'],
  ['boxes', 'box'],
  ['axes', 'axe'],
  ['quizzes', 'quiz'],
  ['volcanoes', 'volcano'],
  ['snowmen', 'snowman'],
  ['mice', 'mouse'],
  ['glasses', 'glass'],
])('%s may be the plural of %s', (plural, singular) => {
  expect(singularsOf(plural)).toContain(singular);
});

test.each(['glass', 'is', 'fox', 'constructor', ''])('%s is no plural', (text) => {
  expect(singularsOf(text)).toEqual([text]);
});

test.each([
  ['fox', 'foxes'],
  ['slice of pizza', 'slices of pizza'],
  ['butterfly', 'butterflies'],
  ['snowman', 'snowmen'],
  ['tropical fish', 'tropical fish'],
  ['french fries', 'french fries'],
  ['pine tree', 'pine trees'],
])('several of %s are %s', (name, plural) => {
  expect(pluralOf(name)).toBe(plural);
});
