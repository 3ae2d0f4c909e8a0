import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plannedComputeSteps } from '../../../src/forecast/schedule/interval.ts';
import { PUBLISHED, settingsProblems } from '../../../src/forecast/settings.ts';
import { generate } from '../../../src/sampling/generate.ts';
import { controlOf, methodsFor } from '../../../cli/bench/methods.ts';
import { intervalFor, spectrumComputeSteps, spectrumGrowth } from '../../../cli/bench/schedules.ts';
import { testEngine } from './bench-engine.ts';

const countOf = (steps: number, budget: number): number =>
  plannedComputeSteps(steps, { basis: 'hermite', ...intervalFor(steps, budget) }).length;

describe('an interval for a budget', () => {
  test('is the published one for its nine steps', () => {
    expect(intervalFor(50, 9)).toEqual({ interval: 7, firstEnhance: 3 });
  });

  test.each([
    [50, 7],
    [50, 9],
    [50, 14],
    [50, 20],
    [28, 6],
    [28, 10],
  ])('of %i steps computes exactly %2$i', (steps, budget) => {
    expect(countOf(steps, budget)).toBe(budget);
  });

  test('never computes more than the budget', () => {
    fc.assert(
      fc.property(fc.integer({ min: 12, max: 60 }), fc.integer({ min: 6, max: 60 }), (steps, n) => {
        const budget = Math.min(n, steps);
        expect(countOf(steps, budget)).toBeLessThanOrEqual(budget);
      }),
    );
  });

  test('that would be too long is refused', () => {
    expect(() => intervalFor(50, 3)).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });
});

describe("Spectrum's schedule", () => {
  test('as published: five steps, then windows of 2, 2.75, 3.5 …, rounded down', () => {
    expect(spectrumComputeSteps(50, 0.75)).toEqual([
      0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 25, 31, 38, 46,
    ]);
  });

  test.each([7, 9, 14, 20])('its growth is tuned to %i of 50', (budget) => {
    expect(spectrumComputeSteps(50, spectrumGrowth(50, budget))).toHaveLength(budget);
  });

  test('stays as published where that lands on the budget', () => {
    expect(spectrumGrowth(50, 14)).toBe(0.75);
  });
});

describe('a fixed compute set', () => {
  const steps = 30;
  const run = async (set: readonly number[]): Promise<readonly number[]> => {
    const { stats } = await generate(
      testEngine(),
      {
        prompt: 'a fox',
        seed: 1,
        steps,
        sampler: 'euler',
        width: 32,
        height: 32,
        cache: PUBLISHED,
        preview: false,
      },
      {
        settings: () => ({ ...PUBLISHED, basis: 'chebyshev' }),
        computeSteps: set,
        signal: new AbortController().signal,
        onEvent: () => undefined,
      },
    );
    return stats.computeSteps;
  };

  test('computes exactly its steps, over gaps longer than any interval', async () => {
    for (const set of [
      [0],
      [0, 1, 2, 29],
      [0, 5, 6, 20],
      Array.from({ length: steps }, (_, i) => i),
    ]) {
      expect(await run(set)).toEqual(set);
    }
  });
});

describe('methods', () => {
  const methods = methodsFor(50, [7, 9, 14, 20]);

  test('have names of their own, fit for folders', () => {
    expect(new Set(methods.map(({ id }) => id)).size).toBe(methods.length);
    for (const { id } of methods) expect(id).toMatch(/^[a-z0-9.-]+$/);
  });

  test('begin with the full run and have settings that are possible', () => {
    expect(methods[0]).toMatchObject({ id: 'full', steps: 50, cache: { basis: 'none' } });
    for (const method of methods) {
      expect(settingsProblems(controlOf(method).settings())).toEqual([]);
    }
  });

  test("HiCache's published setting is among them, unchanged", () => {
    expect(methods.find(({ id }) => id === 'hermite-9')!.cache).toEqual(PUBLISHED);
  });

  test('compute as many steps as their budget says, or fewer', async () => {
    const engine = testEngine();
    for (const method of methodsFor(28, [6, 10])) {
      const { stats } = await generate(
        engine,
        {
          prompt: 'a fox',
          seed: 1,
          width: 32,
          height: 32,
          preview: false,
          steps: method.steps,
          sampler: method.sampler,
          cache: method.cache,
        },
        {
          ...controlOf(method),
          signal: new AbortController().signal,
          onEvent: () => undefined,
        },
      );
      const { length: computed } = stats.computeSteps;
      if (method.budget === null) continue;
      expect([method.id, computed]).toEqual([method.id, method.budget]);
    }
  });
});
