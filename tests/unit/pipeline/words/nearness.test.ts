import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bySlips, nearness } from '../../../../src/pipeline/words/nearness.ts';
import { singularsOf } from '../../../../src/pipeline/words/singulars.ts';

const word = fc.stringMatching(/^[a-e]{1,12}$/);

describe('nearness', () => {
  test('is 1 for the same word of three letters and more, and else less', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const near = nearness(a, b);
        expect(near).toBeGreaterThanOrEqual(0);
        expect(near).toBeLessThanOrEqual(1);
        if (a === b) expect(near).toBe(1);
        else expect(near).toBeLessThan(1);
      }),
    );
  });

  test('slips count the same both ways', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(bySlips(a, b)).toBeCloseTo(bySlips(b, a), 12);
      }),
    );
  });

  test.each([
    ['appel', 'apple', 1 - 1 / 5],
    ['unicron', 'unicorn', 1 - 1 / 7],
    ['foxx', 'fox', 1 - 1 / 4],
    ['cat', 'dog', 0],
    // Two slips are too many for a short word.
    ['caatt', 'cat', 0],
    ['ab', 'ba', 0],
  ])('%s and %s are %d near by slips', (a, b, expected) => {
    expect(bySlips(a, b)).toBeCloseTo(expected, 12);
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
