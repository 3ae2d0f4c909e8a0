import { expect, test } from 'vitest';
import { type CacheSettings, PUBLISHED, settingsProblems } from '../../../src/forecast/settings.ts';

test('the published settings have no problems', () => {
  expect(settingsProblems(PUBLISHED)).toEqual([]);
});

test.each([
  [{ basis: 'fourier' }, /^basis must be one of none, reuse,/],
  [{ differences: 'forward' }, /^differences must be/],
  [{ order: 5 }, /^order must be a whole number from 0 to 4, not 5$/],
  [{ order: 1.5 }, /^order/],
  [{ order: NaN }, /^order/],
  [{ interval: 0 }, /^interval/],
  [{ interval: 13 }, /^interval/],
  [{ firstEnhance: 0 }, /^firstEnhance/],
  [{ sigma: 0 }, /^sigma must be a number from 0.1 to 1, not 0$/],
  [{ sigma: NaN }, /^sigma/],
])('%o is refused by name', (change, problem) => {
  const problems = settingsProblems({ ...PUBLISHED, ...change } as CacheSettings);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(problem);
});
