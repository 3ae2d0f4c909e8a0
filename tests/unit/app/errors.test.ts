import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CANDIDATES } from '../../../src/forecast/verification/candidates.ts';
import { Gram } from '../../../src/forecast/verification/gram.ts';
import { GENERIC } from '../../../src/forecast/calibration.ts';
import { CachePolicy } from '../../../src/forecast/policy.ts';
import { PUBLISHED } from '../../../src/forecast/settings.ts';
import { median } from '../../../src/shared/statistics.ts';
import { geometricMean, RunErrors, SIGMAS } from '../../../src/app/lab/errors.ts';
import { gramOf } from '../forecast/vectors.ts';

const STEPS = 30;

/** A shifted schedule, so that the two axes differ. */
const FLOW_TIMES = Array.from({ length: STEPS + 1 }, (_, i) => {
  const even = 1 - i / STEPS;
  return (3 * even) / (1 + 2 * even);
});

const featuresAt = (step: number): number[] => {
  const t = FLOW_TIMES[step]!;
  return [Math.cos(3 * t), Math.sin(5 * t) + 2, t * t, Math.exp(-t), 1 / (0.1 + t)];
};

/** The verifications of a run over those features, as the pipeline makes them. */
function verifications() {
  const policy = new CachePolicy(STEPS, FLOW_TIMES, GENERIC);
  const anchors: number[][] = [];
  for (let step = 0; step < STEPS; step++) {
    if (!policy.computes(step, PUBLISHED)) {
      policy.forecast(step, PUBLISHED);
      continue;
    }
    anchors.unshift(featuresAt(step));
    policy.anchored(step);
    const { olderAnchors } = policy;
    policy.verifier()(new Gram(gramOf(anchors.slice(0, olderAnchors + 1)).packed, olderAnchors));
  }
  return policy.verifications;
}

describe('RunErrors', () => {
  const run = { steps: STEPS, flowTimes: FLOW_TIMES, verifications: verifications() };

  test('gives every candidate the error that the run verified', () => {
    const errors = new RunErrors(run);
    expect(errors.evidence.length).toBeGreaterThan(4);
    CANDIDATES.forEach((forecaster, i) => {
      errors
        .errors(forecaster)
        .forEach((error, step) =>
          expect(error).toBeCloseTo(run.verifications[step]!.errors[i]!, 10),
        );
    });
  });

  test('has its curves at the sigmas of the axis', () => {
    const errors = new RunErrors(run);
    const forecaster = CANDIDATES.find(
      ({ basis, order, sigma, abscissa }) =>
        basis === 'hermite' && order === 2 && sigma === 0.5 && abscissa === 'flow',
    )!;
    const curve = errors.hermiteErrors(2, 'flow');
    expect(curve).toHaveLength(SIGMAS.length);
    expect(curve[SIGMAS.indexOf(0.5)]).toEqual(errors.errors(forecaster));
    expect(SIGMAS[0]).toBe(0.1);
    expect(SIGMAS.at(-1)).toBe(1);
  });

  test('puts steps in order, whenever their readings came', () => {
    const late = { ...run, verifications: run.verifications.toReversed() };
    expect(new RunErrors(late).evidence).toEqual(new RunErrors(run).evidence);
  });
});

describe('means', () => {
  const positive = fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), {
    minLength: 1,
    maxLength: 12,
  });

  test('lie within their values; a common factor comes out', () => {
    fc.assert(
      fc.property(positive, fc.double({ min: 0.1, max: 10, noNaN: true }), (values, factor) => {
        for (const mean of [geometricMean, median]) {
          const value = mean(values);
          expect(value).toBeGreaterThanOrEqual(Math.min(...values) * (1 - 1e-9));
          expect(value).toBeLessThanOrEqual(Math.max(...values) * (1 + 1e-9));
          expect(mean(values.map((x) => factor * x)) / value / factor).toBeCloseTo(1, 9);
        }
      }),
    );
  });

  test('are what they are called', () => {
    expect(geometricMean([1, 4, 16])).toBeCloseTo(4, 12);
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(geometricMean([0, 1])).toBeGreaterThan(0);
  });
});
