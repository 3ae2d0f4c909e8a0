import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENGLISH } from '../../../src/prompt/words/english.ts';
import { KnownWords } from '../../../src/prompt/words/known-words.ts';
import { singularsOf } from '../../../src/prompt/words/plurals.ts';
import { VOCABULARY } from '../support/vocabulary.ts';

const known = new KnownWords(VOCABULARY, ENGLISH);
const unknownIn = (prompt: string): string[] => known.unknownIn(prompt).map(({ word }) => word);
const suggestedFor = (word: string): readonly string[] | undefined =>
  known.unknownIn(word)[0]?.suggestions;

test.each([
  ['a fox on a blue striped background', []],
  ['', []],
  ['  ,.!? ', []],
  ['The FOX, (two) Cats & “a” hot-dog!', []],
  ['two wolves, 2 knives, foxes, strawberries and cups of coffee', []],
  ["a pinata and the fox's jack o lantern", []],
  // Not in the words; and "hermit" is known in a hermit crab only.
  ['3 foxes', ['3']],
  ['a hermit and a hermit crab', ['hermit']],
  ['a soccer dog', ['soccer']],
  // Of a name that is there nothing is left over.
  ['a hot hot dog', ['hot']],
  ['a Zebra, a zebra and a (Saxophone)!', ['Zebra', 'Saxophone']],
  ['a 🦊 in the snow', ['🦊', 'snow']],
  ['which of all the foxes is for me, please', []],
  ['лиса', ['лиса']],
])('words of "%s" that the model does not know: %o', (prompt, expected) => {
  expect(unknownIn(prompt)).toEqual(expected);
});

test.each([
  ['appel', ['apple']],
  ['aple', ['apple']],
  // The nearest name of a thing stands for all of its names.
  ['foxx', ['fox']],
  ['strawbery', ['strawberry']],
  ['strawberrys', undefined],
  ['strawberyes', ['strawberries']],
  // Words of their own, however near.
  ['straw', []],
  ['guitarist', []],
  ['soccer', []],
  ['hat', []],
  ['oil', []],
  ['wool', []],
  ['icecream', ['ice cream']],
  ['ball', ['soccer ball']],
  ['greenapple', ['green apple']],
  ['strped', ['striped']],
  ['zebra', []],
  ['x', []],
  ['qqqqqqqqqqqqqqqq', []],
  ['17', []],
  ['🦊', []],
])('%s is near to %o', (word, expected) => {
  const found = suggestedFor(word);
  expect(found && [...found].sort()).toEqual(expected && [...expected].sort());
});

test('the head of a name leads to it, other words of it do not', () => {
  const concepts = [['cup of tea'], ['snowman in the snow'], ['hot dog', 'hotdog'], ['pine tree']];
  const names = new KnownWords({ concepts, words: [] }, ENGLISH);
  const near = (word: string) => names.unknownIn(word)[0]?.suggestions;
  expect(near('cup')).toEqual(['cup of tea']);
  expect(near('cups')).toEqual(['cups of tea']);
  expect(near('tree')).toEqual(['pine tree']);
  for (const word of ['tea', 'snow', 'dog', 'hot', 'pine']) expect(near(word)).toEqual([]);
});

test('the nearest comes first, and there are three at most', () => {
  const concepts = ['plate', 'plant', 'plans', 'plank', 'plane'].map((name) => [name]);
  const many = new KnownWords({ concepts, words: [] }, ENGLISH);
  const [{ suggestions } = { suggestions: [] }] = many.unknownIn('plann');
  expect(suggestions).toHaveLength(3);
  expect(suggestedFor('appel')![0]).toBe('apple');
});

describe('always', () => {
  const names = VOCABULARY.concepts.flat();
  const name = fc.constantFrom(...names);
  const anyName = fc.oneof(name, fc.constantFrom(...VOCABULARY.words));
  /** Names of one word in which a slip is one among many letters. */
  const longName = fc.constantFrom(...names.filter((text) => /^[a-z]{5,}$/.test(text)));
  const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz');
  const slip = fc.constantFrom('left out', 'doubled', 'changed', 'swapped');

  test('what is made of known names and words is known, in any case and punctuation', () => {
    const between = fc.constantFrom(' ', ', ', ' - ', '\n', '! ', '. (');
    fc.assert(
      fc.property(fc.array(fc.tuple(anyName, between, fc.boolean())), (parts) => {
        const prompt = parts
          .map(([text, gap, loud]) => (loud ? text.toUpperCase() : text) + gap)
          .join('');
        expect(unknownIn(prompt)).toEqual([]);
      }),
    );
  });

  test('unknown words stand in the prompt, each once, with known suggestions', () => {
    const word = fc.oneof(
      anyName,
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[a-z]{1,9}$/),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const prompt = words.join(' ');
        const found = known.unknownIn(prompt);
        expect(new Set(found.map((one) => one.word)).size).toBe(found.length);
        for (const one of found) {
          expect(prompt).toContain(one.word);
          expect(one.suggestions.length).toBeLessThanOrEqual(3);
          for (const suggestion of one.suggestions) expect(unknownIn(suggestion)).toEqual([]);
        }
      }),
    );
  });

  test('a name with one typing error is known, leads to that name or is another English word', () => {
    fc.assert(
      fc.property(longName, slip, fc.nat(), letter, (text, kind, at, other) => {
        // The first letter of a short word is hardly ever the wrong one.
        const first = kind === 'changed' || kind === 'left out' ? 1 : 0;
        const i = first + (at % (text.length - 1 - first));
        const [before, here, next, after] = [
          text.slice(0, i),
          text[i]!,
          text[i + 1]!,
          text.slice(i + 2),
        ];
        const slipped = {
          'left out': before + next + after,
          doubled: before + here + here + next + after,
          changed: before + other + next + after,
          swapped: before + next + here + after,
        }[kind]!;
        const suggestions = suggestedFor(slipped);
        if (suggestions && !singularsOf(slipped).some((form) => ENGLISH.has(form))) {
          expect(suggestions.some((one) => one.includes(text))).toBe(true);
        }
      }),
    );
  });
});
