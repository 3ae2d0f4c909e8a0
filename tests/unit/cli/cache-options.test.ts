import { expect, test } from 'vitest';
import { PUBLISHED } from '../../../src/forecast/settings.ts';
import { readArguments } from '../../../cli/lib/args.ts';
import { CACHE_FLAGS, CACHE_OPTIONS, cacheFrom } from '../../../cli/lib/cache-options.ts';

const read = (...args: string[]) => cacheFrom(readArguments(args, CACHE_OPTIONS, CACHE_FLAGS));

test('left out, everything is as published', () => {
  expect(read()).toEqual(PUBLISHED);
});

test('every setting has an option', () => {
  const settings = read(
    ...['--basis', 'newton', '--order', '1', '--sigma', '0.6', '--interval', '5'],
    ...['--first-enhance', '2', '--differences', 'divided', '--abscissa', 'flow'],
    ...['--schedule', 'budget', '--budget', '12', '--tolerance', '0.01', '--correct'],
  );
  expect(settings).toEqual({
    basis: 'newton',
    order: 1,
    sigma: 0.6,
    interval: 5,
    firstEnhance: 2,
    differences: 'divided',
    abscissa: 'flow',
    schedule: 'budget',
    budget: 12,
    tolerance: 0.01,
    correct: true,
  });
  expect(Object.keys(settings).sort()).toEqual(Object.keys(PUBLISHED).sort());
});

test('a choice that there is not is refused by name', () => {
  expect(() => read('--schedule', 'sometimes')).toThrow(/--schedule cannot be "sometimes"/);
});
