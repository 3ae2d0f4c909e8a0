import { expect, test } from 'vitest';
import { Pace } from '../../../src/sampling/pace.ts';

test('time left counts steps by their kind, and the decoding as one compute step', () => {
  const pace = new Pace();
  pace.record(true, 5);
  expect(pace.secondsLeft(2, 0)).toBe(15);
  pace.record(true, 2);
  pace.record(true, 4);
  // The first compute step made the pipelines: it no longer counts.
  expect(pace.secondsLeft(2, 0)).toBe(9);
  pace.record(false, 0.5);
  expect(pace.secondsLeft(1, 4)).toBe(8);
});

test('the speed-up puts forecast steps at the median compute step and keeps the rest', () => {
  const pace = new Pace();
  for (const seconds of [9, 1, 1]) pace.record(true, seconds);
  for (const seconds of [0.1, 0.3]) pace.record(false, seconds);
  // 12 s in all, of which 0.4 s of forecasts would have been 2 s.
  expect(pace.speedup(12)).toBeCloseTo((12 - 0.4 + 2) / 12, 12);
});

test('a run that computed every step has no speed-up', () => {
  const pace = new Pace();
  pace.record(true, 3);
  expect(pace.speedup(4)).toBe(1);
});
