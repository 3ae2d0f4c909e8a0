import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  histogram,
  jarqueBera,
  normalDensity,
  normalQuantile,
  normalQuantiles,
} from '../../../src/forecast/verification/normality.ts';

const samples = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), {
  minLength: 8,
  maxLength: 60,
});

describe('jarqueBera', () => {
  // SciPy 1.17: stats.skew(x), stats.kurtosis(x), and stats.jarque_bera(x).
  test.each([
    {
      values: [2, 8, 0, 4, 1, 9, 9, 0, 1, 3],
      expected: [0.5558706764153902, -1.329384824331098, 1.2513470194815992, 0.5349010461071637],
    },
    {
      values: [1.5, -0.25, 0.75, 3, -2.5, 0.1, 0.4, -0.9, 0.05, 7],
      expected: [1.2730234714244273, 1.315232534857997, 3.421746523307913, 0.18070791839870043],
    },
  ])('agrees with SciPy: $values', ({ values, expected }) => {
    const { skewness, excessKurtosis, statistic, pValue } = jarqueBera(values);
    [skewness, excessKurtosis, statistic, pValue].forEach((value, i) =>
      expect(value).toBeCloseTo(expected[i]!, 12),
    );
  });

  test('does not see where values lie nor on which scale; a mirror turns the skewness', () => {
    fc.assert(
      fc.property(
        samples.filter((values) => Math.max(...values) - Math.min(...values) > 0.1),
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (values, shift, scale) => {
          const test = jarqueBera(values);
          const moved = jarqueBera(values.map((value) => shift - scale * value));
          expect(moved.skewness).toBeCloseTo(-test.skewness, 6);
          expect(moved.excessKurtosis).toBeCloseTo(test.excessKurtosis, 6);
          expect(moved.pValue).toBeCloseTo(test.pValue, 6);
        },
      ),
    );
  });

  test('accepts what is normal and refuses what is not', () => {
    const normal = normalQuantiles(2000);
    expect(jarqueBera(normal).pValue).toBeGreaterThan(0.9);
    expect(jarqueBera(normal.map((x) => x + 0.1 * x ** 3)).pValue).toBeLessThan(1e-6);
    expect(jarqueBera(normal.map((x) => Math.exp(0.3 * x))).pValue).toBeLessThan(1e-6);
  });

  test('has nothing to say of equal values, and refuses a single one', () => {
    expect(jarqueBera([3, 3, 3]).pValue).toBeNaN();
    expect(() => jarqueBera([3])).toThrow(RangeError);
  });
});

describe('the normal distribution', () => {
  // SciPy 1.17: stats.norm.ppf(p) and stats.norm.pdf(x).
  test.each([
    [1e-6, -4.753424308822899],
    [0.001, -3.090232306167813],
    [0.02, -2.053748910631823],
    [0.0243, -1.9720841590292884],
    [0.2, -0.8416212335729142],
    [0.5, 0],
    [0.75, 0.6744897501960817],
    [0.9757, 1.9720841590292884],
    [0.999, 3.090232306167813],
  ])('has the quantile of %d', (p, expected) => {
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThan(6e-9);
  });

  test('has the density', () => {
    expect(normalDensity(0)).toBeCloseTo(0.39894228, 8);
    expect(normalDensity(1)).toBeCloseTo(0.24197072, 8);
    expect(normalDensity(-2.5)).toBeCloseTo(0.0175283, 8);
  });

  test('has quantiles that grow and mirror', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
        const quantiles = normalQuantiles(count);
        quantiles.forEach((value, i) => {
          expect(value).toBeCloseTo(-quantiles[count - 1 - i]!, 9);
          if (i > 0) expect(value).toBeGreaterThan(quantiles[i - 1]!);
        });
      }),
    );
  });
});

describe('histogram', () => {
  test('puts values into bins that hold their lower edge', () => {
    const { centres, density, outside } = histogram([-1, -0.5, 0, 0.1, 0.99, 1, 7], -1, 1, 4);
    expect(centres).toEqual([-0.75, -0.25, 0.25, 0.75]);
    density.forEach((share, i) => expect(share * 7 * 0.5).toBeCloseTo([1, 1, 2, 1][i]!, 12));
    expect(outside).toBe(2);
  });

  test('accounts for every value', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const { density, outside } = histogram(values, -4, 4, 32);
        const inside = density.reduce((sum, share) => sum + share * 0.25 * values.length, 0);
        expect(inside + outside).toBeCloseTo(values.length, 8);
      }),
    );
  });
});
