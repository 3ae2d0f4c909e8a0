import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chebyshevWeights } from '../../../src/forecast/bases/chebyshev.ts';
import { dmdWeights } from '../../../src/forecast/bases/dmd.ts';
import { newtonWeights } from '../../../src/forecast/bases/newton.ts';
import { stepPositions } from '../../../src/forecast/positions.ts';
import { forecastWeights } from '../../../src/forecast/weights.ts';
import { PUBLISHED } from '../../../src/forecast/settings.ts';
import { gramOf, scaled, sum, type Vector } from './vectors.ts';

const GOLDEN = [
  1.2979097436208697, -0.2848988475215699, -0.16704566049991973, 0.12573341749709424,
  0.050876870066738425, -0.0609094492666402,
];

const apply = (weights: readonly number[], anchors: readonly Vector[]): number[] =>
  sum(weights.map((weight, j) => scaled(anchors[j]!, weight)));

describe('newton', () => {
  test('is exact on polynomials of its order, whatever the spacing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 5, maxLength: 5 }),
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 5, maxLength: 5 }),
        fc.integer({ min: 1, max: 9 }),
        (order, gaps, coefficients, ahead) => {
          const anchors = [0];
          for (const gap of gaps) anchors.unshift(anchors[0]! + gap);
          const target = anchors[0]! + ahead;
          const value = (t: number): number =>
            coefficients.slice(0, order + 1).reduce((total, c, i) => total + c * (t / 10) ** i, 0);
          const weights = newtonWeights(anchors, order, target);
          const size = weights.reduce((total, w) => total + Math.abs(w), 0);
          const forecast = weights.reduce((total, w, j) => total + w * value(anchors[j]!), 0);
          const largest = Math.max(...anchors.map((t) => Math.abs(value(t))), 1);
          expect(Math.abs(forecast - value(target))).toBeLessThan(1e-11 * size * largest);
        },
      ),
    );
  });

  test('between two anchors interpolates', () => {
    expect(newtonWeights([10, 4], 1, 7)).toEqual([0.5, 0.5]);
    expect(newtonWeights([10, 4], 1, 4)).toEqual([0, 1]);
  });
});

describe('chebyshev', () => {
  // NumPy: X = polynomial.chebyshev.chebvander(2*(a - 0)/49 - 1, 4);
  // w = 0.5 * chebvander(τ*, 4) @ solve(X.T @ X + 0.1 * eye(5), X.T) + 0.5 * line through the newest two.
  test('is the ridge regression of the published method', () => {
    const weights = chebyshevWeights([30, 23, 16, 9, 2, 1], 33, [0, 49]);
    GOLDEN.forEach((expected, j) => expect(weights[j]).toBeCloseTo(expected, 10));
  });

  test('has a forecast for one anchor and for a run of one step', () => {
    for (const weight of chebyshevWeights([0], 1, [0, 49])) expect(weight).toBeLessThanOrEqual(1);
    expect(chebyshevWeights([0], 0, [0, 0]).every(Number.isFinite)).toBe(true);
  });
});

describe('dmd', () => {
  /** Features that are a sum of modes with independent directions. */
  const modes = (values: readonly { growth: number; turn: number }[]) => (t: number) =>
    values.flatMap(({ growth, turn }, m) => [
      (m + 1) * growth ** t * Math.cos(turn * t),
      (m + 2) * growth ** t * Math.sin(turn * t + 0.3),
    ]);

  test('continues decaying and turning features exactly, fractions of a gap included', () => {
    const series = modes([
      { growth: 0.9, turn: 0 },
      { growth: 0.97, turn: 0.11 },
    ]);
    const positions = [15, 12, 9, 6, 3, 0];
    const anchors = positions.map(series);
    for (const target of [16, 17, 18, 21]) {
      // Three modes: one real, one conjugate pair; four anchors tell them apart.
      const weights = dmdWeights(positions.slice(0, 4), target, gramOf(anchors.slice(0, 4)))!;
      apply(weights, anchors).forEach((value, i) =>
        expect(value).toBeCloseTo(series(target)[i]!, 5),
      );
    }
  });

  test('steps aside for few, uneven or dependent anchors', () => {
    const series = modes([{ growth: 0.9, turn: 0.2 }]);
    const few = [6, 3, 0];
    expect(dmdWeights(few, 7, gramOf(few.map(series)))).toBeNull();
    const uneven = [9, 6, 2, 1, 0];
    expect(dmdWeights(uneven, 10, gramOf(uneven.map(series)))).toBeNull();
    const still = [9, 6, 3, 0].map(() => [1, 2, 3]);
    expect(dmdWeights([9, 6, 3, 0], 10, gramOf(still))).toBeNull();
  });

  test('is linear where it steps aside', () => {
    const dmd = { ...PUBLISHED, basis: 'dmd' } as const;
    const weights = forecastWeights(dmd, [9, 2, 1], 12, { span: [0, 49], gram: null });
    expect(weights).toEqual(newtonWeights([9, 2, 1], 1, 12));
  });
});

test('both axes are the same without a timestep shift', () => {
  const flowTimes = Array.from({ length: 51 }, (_, i) => 1 - i / 50);
  const flow = stepPositions('flow', 50, flowTimes);
  stepPositions('step', 50, flowTimes).forEach((position, i) =>
    expect(flow[i]).toBeCloseTo(position, 9),
  );
});
