import { expect, test } from 'vitest';
import { PUBLISHED, settingsProblems } from '../../../src/forecast/settings.ts';
import { choiceOption, numberOption, readArguments, seedOption } from '../../../cli/lib/args.ts';
import { CACHE_OPTIONS, cacheFrom } from '../../../cli/lib/cache-options.ts';

test('positionals and options come apart', () => {
  const { positionals, values } = readArguments(
    ['a fox', '--seed', '4', '--out=x.png'],
    ['seed', 'out'],
  );
  expect(positionals).toEqual(['a fox']);
  expect(values).toMatchObject({ seed: '4', out: 'x.png' });
});

test.each([[['--colour', 'red']], [['--seed']], [['--seed', '--out', 'x']]])(
  '%o is a mistake of the caller',
  (args) => {
    expect(() => readArguments(args, ['seed', 'out'])).toThrow(
      expect.objectContaining({ code: 'bad-request' }),
    );
  },
);

test('a negative number after an option is its value, anything else with a dash is not', () => {
  const read = (...args: string[]) => readArguments(args, ['seed', 'out'], ['quick']);
  expect(read('--seed', '-1', '--out', 'x').values).toMatchObject({ seed: '-1', out: 'x' });
  expect(read('--seed', '-9223372036854775808').values.seed).toBe('-9223372036854775808');
  expect(read('--seed', '-.5').values.seed).toBe('-.5');
  expect(() => read('--seed', '-h')).toThrow(/--seed/);
  expect(() => read('--quick', '-1')).toThrow(/-1/);
  expect(read('--', '--seed', '-1').positionals).toEqual(['--seed', '-1']);
});

test('a seed is as exact as it was typed', () => {
  const seed = (text: string) => seedOption({ seed: text }, 'seed', 1);
  expect(seed('18446744073709551615')).toBe('18446744073709551615');
  expect(seed(' -1 ')).toBe(-1);
  expect(seedOption({}, 'seed', 1)).toBe(1);
  expect(() => seed('random')).toThrow('--seed: The seed must be a whole number');
});

test.each(['', ' ', 'seven', '7x', 'NaN', 'Infinity'])('"%s" is no number', (seed) => {
  expect(() => numberOption({ seed }, 'seed', 1)).toThrow(/--seed must be a number/);
});

test('numbers and defaults', () => {
  expect(numberOption({ seed: '-0.5e1' }, 'seed', 1)).toBe(-5);
  expect(numberOption({}, 'seed', 1)).toBe(1);
});

test('a choice is one of the allowed, and the mistake lists them', () => {
  expect(choiceOption({ basis: 'b' }, 'basis', ['a', 'b'], 'a')).toBe('b');
  expect(choiceOption({}, 'basis', ['a', 'b'], 'a')).toBe('a');
  expect(() => choiceOption({ basis: 'c' }, 'basis', ['a', 'b'], 'a')).toThrow(
    expect.objectContaining({ code: 'bad-request', hint: 'It is one of a, b.' }),
  );
});

test('cache settings default to the published ones and take every option', () => {
  expect(cacheFrom(readArguments([], CACHE_OPTIONS))).toEqual(PUBLISHED);
  const line =
    '--basis taylor-scaled --order 1 --sigma 0.7 --interval 5 --first-enhance 2 --differences divided';
  const settings = cacheFrom(readArguments(line.split(' '), CACHE_OPTIONS));
  expect(settings).toEqual({
    ...PUBLISHED,
    basis: 'taylor-scaled',
    order: 1,
    sigma: 0.7,
    interval: 5,
    firstEnhance: 2,
    differences: 'divided',
  });
  expect(settingsProblems(settings)).toEqual([]);
});
