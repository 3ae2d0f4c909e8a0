import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hermite } from '../../../src/forecast/bases/coefficients.ts';
import { type Forecaster, PUBLISHED } from '../../../src/forecast/settings.ts';
import { forecastWeights, usableOrder } from '../../../src/forecast/weights.ts';

/** What only chebyshev and dmd read. */
const CONTEXT = { span: [0, 60], gram: null } as const;

const HERMITE: Forecaster = { ...PUBLISHED, basis: 'hermite' };
const with_ = (change: Partial<Forecaster>): Forecaster => ({ ...HERMITE, ...change });

const settings = fc.record({
  basis: fc.constantFrom('none', 'reuse', 'taylor', 'taylor-scaled', 'hermite', 'newton', 'dmd'),
  order: fc.integer({ min: 0, max: 4 }),
  sigma: fc.double({ min: 0.1, max: 1, noNaN: true }),
  interval: fc.integer({ min: 1, max: 12 }),
  firstEnhance: fc.integer({ min: 1, max: 12 }),
  differences: fc.constantFrom('paper' as const, 'divided' as const),
  abscissa: fc.constantFrom('step' as const, 'flow' as const),
});
/** Anchor positions, newest first, unevenly spaced, and how far ahead the forecast is. */
const spacing = fc.record({
  gaps: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 0, maxLength: 4 }),
  ahead: fc.integer({ min: 1, max: 11 }),
});
const positionsOf = (gaps: readonly number[]): number[] => {
  const positions = [0];
  for (const gap of gaps) positions.unshift(positions[0]! + gap);
  return positions;
};

/** The forecast itself: the weights over a scalar series, given newest first. */
function forecast(
  used: Forecaster,
  anchors: readonly number[],
  target: number,
  series: (position: number) => number,
): number {
  return forecastWeights(used, anchors, target, CONTEXT).reduce(
    (sum, weight, j) => sum + weight * series(anchors[j]!),
    0,
  );
}

/**
 * The published recursion, step by step over vectors as its code keeps them: the cache holds
 * Δ⁰ … Δᵐ of the last anchor, and every new anchor makes the next ones with the gap of that time.
 */
function literalHiCache(
  anchors: readonly { position: number; features: number[] }[],
  order: number,
  sigma: number,
  target: number,
): number[] {
  let cached: number[][] = [];
  let position = 0;
  for (const anchor of anchors) {
    const updated = [anchor.features];
    for (let i = 0; i < order && i < cached.length; i++) {
      const distance = anchor.position - position;
      updated.push(updated[i]!.map((value, n) => (value - cached[i]![n]!) / distance));
    }
    cached = updated;
    position = anchor.position;
  }
  const k = target - position;
  const physicists = [1, 2 * sigma * k];
  for (let n = 1; n < order; n++) {
    physicists.push(2 * sigma * k * physicists[n]! - 2 * n * physicists[n - 1]!);
  }
  let factorial = 1;
  const result = [...cached[0]!];
  for (let i = 1; i < cached.length; i++) {
    factorial *= i;
    const scale = (sigma ** i * physicists[i]!) / factorial;
    for (let n = 0; n < result.length; n++) result[n]! += cached[i]![n]! * scale;
  }
  return result;
}

describe('forecast weights', () => {
  test('of every basis, order and difference match an independent computation', () => {
    const file = new URL('../../golden/weights.json', import.meta.url);
    const { cases } = JSON.parse(readFileSync(file, 'utf8')) as {
      cases: {
        settings: Partial<Forecaster>;
        anchors: number[];
        target: number;
        weights: number[];
      }[];
    };
    expect(cases.length).toBeGreaterThan(500);
    for (const golden of cases) {
      const weights = forecastWeights(
        with_(golden.settings),
        golden.anchors,
        golden.target,
        CONTEXT,
      );
      const padded = golden.anchors.map((_, j) => weights[j] ?? 0);
      for (const [j, weight] of golden.weights.entries()) {
        expect(Math.abs(padded[j]! - weight), JSON.stringify(golden)).toBeLessThan(
          1e-9 * Math.max(1, Math.abs(weight)),
        );
      }
    }
  });

  test('are those of the published recursion run on feature vectors', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        spacing,
        fc.array(
          fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 3 }),
          {
            minLength: 5,
            maxLength: 5,
          },
        ),
        (order, sigma, { gaps, ahead }, features) => {
          const positions = positionsOf(gaps);
          const target = positions[0]! + ahead;
          const anchors = positions.map((position, j) => ({ position, features: features[j]! }));
          const expected = literalHiCache([...anchors].reverse(), order, sigma, target);
          const weights = forecastWeights(with_({ order, sigma }), positions, target, CONTEXT);
          const actual = expected.map((_, n) =>
            weights.reduce((sum, weight, j) => sum + weight * features[j]![n]!, 0),
          );
          const scale = weights.reduce((sum, weight) => sum + Math.abs(weight), 1) * 9;
          for (const [n, value] of expected.entries()) {
            expect(Math.abs(actual[n]! - value)).toBeLessThan(1e-12 * scale);
          }
        },
      ),
    );
  });

  test('sum to one, so that features which do not change are forecast as they are', () => {
    fc.assert(
      fc.property(settings, spacing, (used, { gaps, ahead }) => {
        const anchors = positionsOf(gaps);
        const weights = forecastWeights(used, anchors, anchors[0]! + ahead, CONTEXT);
        const size = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
        const sum = weights.reduce((total, weight) => total + weight, 0);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-12 * Math.max(1, size));
      }),
    );
  });

  test('of hermite, order 1, sigma = sqrt(1/2) are exact on a linear series', () => {
    // The sign trap: with −k in place of k, the forecast runs backwards.
    fc.assert(
      fc.property(
        spacing,
        fc.double({ min: -5, max: 5, noNaN: true }),
        ({ gaps, ahead }, slope) => {
          const anchors = positionsOf(gaps.length > 0 ? gaps : [1]);
          const target = anchors[0]! + ahead;
          const line = (position: number): number => 3 + slope * position;
          const used = with_({ order: 1, sigma: Math.SQRT1_2 });
          expect(forecast(used, anchors, target, line)).toBeCloseTo(line(target), 8);
        },
      ),
    );
  });

  test('of hermite follow a rising series forwards at any sigma and beat reuse there', () => {
    fc.assert(
      fc.property(
        spacing,
        fc.double({ min: 0.1, max: 0.99, noNaN: true }),
        ({ gaps, ahead }, sigma) => {
          const anchors = positionsOf(gaps.length > 0 ? gaps : [1]);
          const target = anchors[0]! + ahead;
          const value = forecast(with_({ order: 1, sigma }), anchors, target, (t) => t);
          expect(value).toBeGreaterThan(anchors[0]!);
          expect(Math.abs(value - target)).toBeLessThan(ahead * (sigma < Math.SQRT1_2 ? 1 : 1.001));
        },
      ),
    );
  });

  test('of hermite, order 1, sigma = sqrt(1/2) are those of taylor on any spacing', () => {
    fc.assert(
      fc.property(settings, spacing, (base, { gaps, ahead }) => {
        const anchors = positionsOf(gaps);
        const target = anchors[0]! + ahead;
        const common = { ...base, order: 1, sigma: Math.SQRT1_2 };
        const hermiteWeights = forecastWeights(
          { ...common, basis: 'hermite' },
          anchors,
          target,
          CONTEXT,
        );
        const taylorWeights = forecastWeights(
          { ...common, basis: 'taylor' },
          anchors,
          target,
          CONTEXT,
        );
        for (const [j, weight] of taylorWeights.entries()) {
          expect(hermiteWeights[j]).toBeCloseTo(weight, 10);
        }
      }),
    );
  });

  test('of taylor with divided differences are exact for linear on uneven spacing', () => {
    const line = (position: number): number => 7 - 2 * position;
    for (const order of [1, 2, 3, 4]) {
      const used = with_({ basis: 'taylor', order, differences: 'divided' });
      expect(forecast(used, [16, 9, 2, 1, 0], 20, line)).toBeCloseTo(line(20), 8);
    }
  });

  test('of paper differences are exact for linear too', () => {
    // Second differences of a line vanish in both kinds, whatever the gaps.
    const line = (position: number): number => 7 - 2 * position;
    const used = with_({ basis: 'taylor', order: 2, differences: 'paper' });
    expect(forecast(used, [9, 2, 1], 14, line)).toBeCloseTo(line(14), 8);
  });

  test('of the two kinds of differences agree on even spacing and only there at order 2', () => {
    const even = [12, 8, 4];
    const uneven = [9, 2, 1];
    const weightsOf = (differences: 'paper' | 'divided', anchors: number[]): number[] =>
      forecastWeights(with_({ differences }), anchors, anchors[0]! + 3, CONTEXT);
    for (const [j, weight] of weightsOf('paper', even).entries()) {
      expect(weightsOf('divided', even)[j]).toBeCloseTo(weight, 12);
    }
    expect(weightsOf('paper', uneven)[1]).not.toBeCloseTo(weightsOf('divided', uneven)[1]!, 3);
  });

  test('fall back to the highest order that the anchors allow, and to reuse with one', () => {
    const three = with_({ order: 4 });
    expect(forecastWeights(three, [5], 6, CONTEXT)).toEqual([1]);
    expect(forecastWeights(three, [5, 3], 6, CONTEXT)).toEqual(
      forecastWeights(with_({ order: 1 }), [5, 3], 6, CONTEXT),
    );
    expect(forecastWeights(three, [5, 3, 2], 8, CONTEXT)).toEqual(
      forecastWeights(with_({ order: 2 }), [5, 3, 2], 8, CONTEXT),
    );
    expect(usableOrder(three, 3)).toBe(2);
  });

  test('of order 0, of reuse and of none take the newest anchor alone', () => {
    for (const basis of ['taylor', 'taylor-scaled', 'hermite', 'newton'] as const) {
      expect(forecastWeights(with_({ basis, order: 0 }), [9, 2, 1], 12, CONTEXT)).toEqual([1]);
    }
    expect(forecastWeights(with_({ basis: 'reuse', order: 3 }), [9, 2, 1], 12, CONTEXT)).toEqual([
      1,
    ]);
    expect(forecastWeights(with_({ basis: 'none', order: 3 }), [9, 2, 1], 12, CONTEXT)).toEqual([
      1,
    ]);
  });

  test('depend on nothing but their arguments, so settings may change between two steps', () => {
    const anchors = [23, 16, 9, 2, 1];
    const before = forecastWeights(HERMITE, anchors, 27, CONTEXT);
    forecastWeights(with_({ basis: 'taylor', order: 4, sigma: 0.9 }), anchors, 28, CONTEXT);
    expect(forecastWeights(HERMITE, anchors, 27, CONTEXT)).toEqual(before);
    expect(anchors).toEqual([23, 16, 9, 2, 1]);
  });

  test('of the published setting over seven steps', () => {
    // By hand: gaps 7, k = 1, sigma 1/2: c1 = 2σ²k = 1/2, c2 = (4σ⁴k² − 2σ²)/2 = −1/8;
    // w = [1 + c1/7 + c2/49, −c1/7 − 2c2/49, c2/49].
    const [c1, c2] = [1 / 2, -1 / 8];
    const weights = forecastWeights(HERMITE, [16, 9, 2], 17, CONTEXT);
    expect(weights[0]).toBeCloseTo(1 + c1 / 7 + c2 / 49, 14);
    expect(weights[1]).toBeCloseTo(-c1 / 7 - (2 * c2) / 49, 14);
    expect(weights[2]).toBeCloseTo(c2 / 49, 14);
  });

  test('need an anchor', () => {
    expect(() => forecastWeights(HERMITE, [], 3, CONTEXT)).toThrow(RangeError);
  });
});

test("physicists' Hermite polynomials", () => {
  const x = 1.7;
  expect(hermite(0, x)).toBe(1);
  expect(hermite(1, x)).toBeCloseTo(2 * x, 12);
  expect(hermite(2, x)).toBeCloseTo(4 * x ** 2 - 2, 12);
  expect(hermite(3, x)).toBeCloseTo(8 * x ** 3 - 12 * x, 12);
  expect(hermite(4, x)).toBeCloseTo(16 * x ** 4 - 48 * x ** 2 + 12, 12);
});
