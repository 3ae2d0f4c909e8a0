import { describe, expect, test } from 'vitest';
import { jarqueBera, normalQuantiles } from '../../../src/forecast/verification/normality.ts';
import { PUBLISHED } from '../../../src/forecast/settings.ts';
import { settingsProblems } from '../../../src/forecast/settings.ts';
import { describeCache, describeUnverified, percent } from '../../../src/app/controls/format.ts';
import { normalityVerdict, pValueText } from '../../../src/app/lab/verdict.ts';
import { BALANCED, isChosen, PRESETS } from '../../../src/app/cache/presets.ts';

test.each([
  [0, '0.0 %'],
  [0.000001, 'under 0.001 %'],
  [0.00042, '0.042 %'],
  [0.0044, '0.44 %'],
  [0.0125, '1.3 %'],
  [0.164, '16.4 %'],
  [3.2, '320 %'],
])('%d in percent is %s', (part, text) => {
  expect(percent(part)).toBe(text);
});

test('settings are told by what they use', () => {
  expect(describeCache(PUBLISHED)).toBe('Hermite, order 2, σ 0.50, interval 7');
  expect(describeCache(BALANCED)).toMatch(/^Newton, order 1, tolerance [\d.]+ %, corrected$/);
  expect(describeCache({ ...BALANCED, basis: 'none' })).toBe('every step computed');
  expect(describeCache({ ...PUBLISHED, basis: 'auto', schedule: 'budget' })).toBe(
    'Automatic, budget 9',
  );
});

test('steps that nothing verified are named', () => {
  const computeSteps = [0, 4];
  expect(describeUnverified({ steps: 8, computeSteps, unverifiedSteps: [5, 6, 7] })).toBe(
    'Not verified: forecast steps 6–8 (3 of 6), since no compute step shows their error.',
  );
  expect(describeUnverified({ steps: 6, computeSteps, unverifiedSteps: [5] })).toMatch(
    /forecast step 6 \(1 of 4\)/,
  );
  expect(describeUnverified({ steps: 9, computeSteps, unverifiedSteps: [1, 2, 3, 8] })).toMatch(
    /: forecast steps 2–4, 9 \(4 of 7\)/,
  );
});

describe('presets', () => {
  test('are possible, and each is the only one chosen when it is', () => {
    for (const preset of PRESETS) {
      const settings = { ...BALANCED, ...preset.settings };
      expect(settingsProblems(settings)).toEqual([]);
      expect(PRESETS.filter((other) => isChosen(other, settings))).toEqual([preset]);
    }
  });
});

describe('the verdict on normality', () => {
  const normal = normalQuantiles(2000);
  const verdict = (values: readonly number[]) => normalityVerdict(jarqueBera(values), 2000);

  test('names what departs', () => {
    expect(verdict(normal)).toMatch(/^Nothing here speaks against a Gaussian/);
    expect(verdict(normal.map((x) => x ** 3))).toMatch(/not Gaussian: .*heavier tails;/);
    expect(verdict(normal.map((x) => Math.tanh(2 * x)))).toMatch(/not Gaussian: .*lighter tails;/);
    expect(verdict(normal.map((x) => -Math.exp(x)))).toMatch(
      /heavier tails and a longer tail to the left/,
    );
    expect(verdict([1, 1, 1])).toMatch(/nothing to test/);
  });

  test('does not print a p value as nought', () => {
    expect(pValueText(1e-9)).toBe('under 0.001');
    expect(pValueText(0.0312)).toBe('0.031');
  });
});
