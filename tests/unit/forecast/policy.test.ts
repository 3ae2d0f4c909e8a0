import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CANDIDATES, LINEAR, REUSE } from '../../../src/forecast/verification/candidates.ts';
import { GENERIC } from '../../../src/forecast/calibration.ts';
import { CachePolicy } from '../../../src/forecast/policy.ts';
import { type CacheSettings, PUBLISHED } from '../../../src/forecast/settings.ts';
import { dot, gramOf, minus, scaled, sum, type Vector } from './vectors.ts';

const STEPS = 50;
const flowTimes = Array.from({ length: STEPS + 1 }, (_, i) => 1 - i / STEPS);

type Series = (step: number) => number[];

interface Followed {
  readonly policy: CachePolicy;
  readonly computed: number[];
  /** Relative errors of the forecast steps. */
  readonly errors: number[];
}

/** Runs a policy over a series of features that is known at every step. */
function follow(series: Series, settings: CacheSettings, steps = STEPS): Followed {
  const times = steps === STEPS ? flowTimes : flowTimes.filter((_, i) => i <= steps);
  const policy = new CachePolicy(steps, times, GENERIC);
  let anchors: Vector[] = [];
  const computed: number[] = [];
  const errors: number[] = [];
  for (let step = 0; step < steps; step++) {
    const features = series(step);
    if (policy.computes(step, settings)) {
      computed.push(step);
      anchors = [features, ...anchors].slice(0, 7);
      policy.anchored(step);
      policy.verifier()(gramOf(anchors.slice(0, policy.olderAnchors + 1)));
    } else {
      const weights = policy.forecast(step, settings);
      const forecast = sum(weights.map((weight, j) => scaled(anchors[j]!, weight)));
      const error = minus(features, forecast);
      errors.push(Math.sqrt(dot(error, error) / dot(features, features)));
    }
  }
  return { policy, computed, errors };
}

const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** A repeatable pseudo-random number in −1 … 1. */
const noise = (seed: number): number => {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
};

const SERIES: Record<string, Series> = {
  constant: () => [1, -2, 3, 0.5],
  linear: (t) => [1 + 0.1 * t, -2 + 0.05 * t, 3 - 0.2 * t],
  oscillating: (t) => [2 + Math.cos(0.9 * t), 2 + Math.sin(0.9 * t), 1],
  noisy: (t) => Array.from({ length: 64 }, (_, i) => 1 + 0.3 * noise(64 * t + i)),
};

describe('the automatic choice', () => {
  const auto = { ...PUBLISHED, basis: 'auto', differences: 'divided' } as const;

  test.each(Object.keys(SERIES))('on a %s series is hardly ever worse than reuse', (name) => {
    for (const interval of [3, 5, 7]) {
      const chosen = follow(SERIES[name]!, { ...auto, interval });
      const reused = follow(SERIES[name]!, { ...auto, interval, basis: 'reuse' });
      expect(mean(chosen.errors)).toBeLessThanOrEqual(1.05 * mean(reused.errors) + 1e-6);
    }
  });

  test('on a linear series finds what is exact', () => {
    const { errors } = follow(SERIES.linear!, auto);
    expect(Math.max(...errors.slice(-20))).toBeLessThan(1e-6);
  });

  test('on a noisy series learns not to extrapolate', () => {
    const { errors } = follow(SERIES.noisy!, auto);
    const linear = follow(SERIES.noisy!, { ...auto, basis: 'newton', order: 1 });
    expect(mean(errors)).toBeLessThan(0.6 * mean(linear.errors));
  });
});

describe('verification', () => {
  test('tells the error of what was served and of every candidate at each compute step', () => {
    const series: Series = (t) => [Math.cos(t / 9), Math.sin(t / 7), 1 + t / 60];
    const settings = { ...PUBLISHED, basis: 'newton', order: 2 } as const;
    const { policy, computed } = follow(series, settings);
    expect(policy.verifications.map(({ step }) => step)).toEqual(computed.slice(1));
    for (const { step, distance, served, errors, anchors } of policy.verifications) {
      expect(errors).toHaveLength(CANDIDATES.length);
      expect(distance).toBe(step - anchors[1]!);
      const truth = series(step);
      const line = minus(truth, series(anchors[1]!));
      const reuse = Math.sqrt(dot(line, line) / dot(truth, truth));
      expect(errors[CANDIDATES.indexOf(REUSE)]).toBeCloseTo(reuse, 6);
      expect(served === null).toBe(distance === 1);
    }
    const last = policy.verifications.at(-1)!;
    const direct = follow(series, settings);
    expect(last.served!.forecaster).toMatchObject({ basis: 'newton', order: 2, abscissa: 'step' });
    expect(direct.policy.verifications.at(-1)!.served!.error).toBe(last.served!.error);
  });

  test('that comes late changes no forecast already made, and is kept', () => {
    const policy = new CachePolicy(STEPS, flowTimes, GENERIC);
    policy.anchored(0);
    policy.anchored(3);
    const late = policy.verifier();
    policy.anchored(6);
    const before = policy.forecast(7, { ...PUBLISHED, basis: 'dmd' });
    late(
      gramOf([
        [1, 2],
        [1, 1.5],
      ]),
    );
    expect(policy.forecast(7, { ...PUBLISHED, basis: 'dmd' })).toEqual(before);
    expect(policy.verifications).toMatchObject([{ step: 3, distance: 3, anchors: [3, 0] }]);
  });

  test('of a feature that is not finite has every further step computed', () => {
    const broken: Series = (t) => [t === 9 ? NaN : 1, t];
    const { policy, computed } = follow(broken, PUBLISHED);
    expect(policy.broken).toBe(true);
    expect(computed.slice(0, 5)).toEqual([0, 1, 2, 9, 10]);
    expect(computed.at(-1)).toBe(49);
    expect(computed).toHaveLength(3 + 41);
  });
});

describe('schedules', () => {
  const smooth: Series = (t) => [Math.cos(t / 20), Math.sin(t / 15), 2];
  const ours = {
    ...PUBLISHED,
    basis: 'newton',
    order: 1,
    abscissa: 'flow',
    correct: true,
  } as const;

  test('a budget is never exceeded, and met', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        (budget, steps) => {
          const { computed } = follow(smooth, { ...ours, schedule: 'budget', budget }, steps);
          expect(computed).toHaveLength(Math.min(budget, steps));
          expect(computed[0]).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a smaller tolerance computes no less; none computes everything', () => {
    const counts = [0, 0.002, 0.01, 0.05, 0.5, Infinity].map(
      (tolerance) => follow(smooth, { ...ours, schedule: 'tolerance', tolerance }).computed.length,
    );
    expect(counts[0]).toBe(50);
    for (let i = 1; i < counts.length; i++) expect(counts[i]).toBeLessThanOrEqual(counts[i - 1]!);
    // Even without any bound an anchor is never older than the longest interval.
    expect(counts.at(-1)).toBeGreaterThanOrEqual(5);
    expect(counts.at(-1)).toBeLessThanOrEqual(8);
  });

  test('features that turn faster than expected are computed more often, and the other way', () => {
    const turning =
      (rate: number): Series =>
      (t) => [3 * Math.cos(rate * t), 3 * Math.sin(rate * t), 1];
    const settings = { ...ours, schedule: 'tolerance', tolerance: 0.02 } as const;
    const slow = follow(turning(0.005), settings).computed.length;
    const middle = follow(turning(0.05), settings).computed.length;
    const fast = follow(turning(0.6), settings).computed.length;
    expect(slow).toBeLessThan(middle);
    expect(middle).toBeLessThan(fast);
  });

  test('an interval longer than the run computes the first steps alone', () => {
    const settings = { ...PUBLISHED, interval: 12, firstEnhance: 2 };
    expect(follow(smooth, settings, 10).computed).toEqual([0, 1]);
  });

  test('none computes every step, whatever the schedule', () => {
    for (const schedule of ['interval', 'budget', 'tolerance'] as const) {
      const settings = { ...PUBLISHED, basis: 'none', schedule, budget: 3 } as const;
      expect(follow(smooth, settings, 10).computed).toHaveLength(10);
    }
  });
});

describe('corrections', () => {
  test('go from the older anchor to the newest, linear in flow time', () => {
    const policy = new CachePolicy(STEPS, flowTimes, GENERIC);
    expect(policy.corrections()).toEqual([]);
    policy.anchored(4);
    expect(policy.corrections()).toEqual([]);
    policy.anchored(8);
    const corrections = policy.corrections();
    expect(corrections.map(({ step }) => step)).toEqual([4, 5, 6, 7]);
    const weights = corrections.map((correction) => correction.weights[0]);
    [0, 0.25, 0.5, 0.75].forEach((weight, i) => expect(weights[i]).toBeCloseTo(weight, 9));
  });
});

test('the straight line is among the candidates once', () => {
  expect(CANDIDATES.filter((candidate) => candidate === LINEAR)).toHaveLength(1);
  expect(new Set(CANDIDATES.map((candidate) => JSON.stringify(candidate))).size).toBe(
    CANDIDATES.length,
  );
});
