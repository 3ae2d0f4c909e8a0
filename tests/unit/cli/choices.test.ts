import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CANDIDATES, LINEAR, REUSE } from '../../../src/forecast/verification/candidates.ts';
import { generate } from '../../../src/sampling/generate.ts';
import { PUBLISHED } from '../../../src/forecast/settings.ts';
import {
  backCastError,
  type Occasion,
  occasionsOf,
  summary,
} from '../../../cli/commands/choices.ts';
import { dot, gramOf, minus, scaled, type Vector } from '../forecast/vectors.ts';
import { testEngine } from './bench-engine.ts';

const vector = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
  minLength: 6,
  maxLength: 6,
});

test('back-casting errs as the line through the two anchors after the oldest does', () => {
  fc.assert(
    fc.property(fc.tuple(vector, vector, vector, vector), ([newest, first, second, oldest]) => {
      fc.pre(dot(newest, newest) > 1e-3);
      // Positions 20, 14, 10: from 14 by 4/6 of the way on beyond it, time reversed.
      const line: Vector = second.map((value, i) => value + ((value - first[i]!) * 4) / 6);
      const size = Math.sqrt(dot(newest, newest));
      const gram = gramOf([newest, first, second, oldest]);
      for (const [forecaster, expected] of [
        [LINEAR, line],
        [REUSE, second],
      ] as const) {
        const error = minus(expected, oldest);
        expect(backCastError(forecaster, [20, 14, 10], gram)).toBeCloseTo(
          Math.sqrt(dot(error, error)) / size,
          6,
        );
      }
      const exact = minus(scaled(second, 5 / 3), scaled(first, 2 / 3));
      expect(
        backCastError(LINEAR, [20, 14, 10], gramOf([newest, first, second, exact])),
      ).toBeCloseTo(0, 5);
    }),
  );
});

test('rules are compared on the same compute steps, by geometric means', () => {
  const occasion = (reuse: number, line: number): Occasion => ({
    errors: CANDIDATES.map((candidate) =>
      candidate === REUSE ? reuse : candidate === LINEAR ? line : 1,
    ),
    automatic: 0.03,
    backCast: line,
  });
  const rules = summary([[occasion(0.01, 0.04), occasion(0.04, 0.01)], [], [occasion(0.02, 0.04)]]);
  const errors = rules.map(([, error]) => error);
  const [even, line] = [0.02, 0.01 ** (1 / 3) * 0.04 ** (2 / 3)];
  const oracle = 0.01 ** (2 / 3) * 0.02 ** (1 / 3);
  const expected = [even, line, line, 0.03, even, 0.02, oracle];
  errors.forEach((error, i) => expect(error).toBeCloseTo(expected[i]!, 12));
  expect(rules[4]![0]).toContain('(reuse, in steps)');
});

test('only compute steps that were forecast and had three anchors before them count', async () => {
  const engine = testEngine();
  const cache = { ...PUBLISHED, basis: 'auto', interval: 4, differences: 'divided' } as const;
  const { stats } = await generate(
    engine,
    {
      prompt: 'a fox',
      seed: 1,
      width: 32,
      height: 32,
      steps: 20,
      sampler: 'euler',
      cache,
      preview: false,
    },
    { settings: () => cache, signal: new AbortController().signal, onEvent: () => undefined },
  );
  const occasions = occasionsOf(stats);
  // Computed are 0, 1, 2, 6, 10, 14, 18.
  expect(occasions).toHaveLength(4);
  for (const { errors, automatic, backCast } of occasions) {
    expect(errors).toContain(backCast);
    expect(automatic).toBeGreaterThanOrEqual(0);
  }
});
