import { expect, test } from 'vitest';
import { CANDIDATES, LINEAR, REUSE } from '../../../src/forecast/verification/candidates.ts';
import { ForecasterChoice } from '../../../src/forecast/verification/automatic-basis.ts';
import type { Forecaster } from '../../../src/forecast/settings.ts';

const PARABOLA = CANDIDATES.find(({ basis, order }) => basis === 'newton' && order === 2)!;
const EXPECTED = CANDIDATES.map(() => 1);

/** Errors of all candidates: those that are named, and a large one for all others. */
const errors = (named: readonly (readonly [Forecaster, number])[]): number[] =>
  CANDIDATES.map((candidate) => named.find(([one]) => one === candidate)?.[1] ?? 9);

function chosen(...steps: readonly (readonly (readonly [Forecaster, number])[])[]): Forecaster {
  const choice = new ForecasterChoice();
  for (const step of steps) choice.observe(errors(step), EXPECTED);
  return choice.best(EXPECTED, LINEAR);
}

test('without evidence, the usual forecaster is chosen among equals', () => {
  expect(new ForecasterChoice().best(EXPECTED, LINEAR)).toBe(LINEAR);
  expect(new ForecasterChoice().best(EXPECTED, { ...PARABOLA, sigma: 0.9 })).toBe(PARABOLA);
});

test('a small lead does not take the place of the usual one, a clear one does', () => {
  const step = (parabola: number) =>
    [
      [REUSE, 1],
      [LINEAR, 0.5],
      [PARABOLA, parabola],
    ] as const;
  expect(chosen(step(0.45), step(0.45))).toBe(LINEAR);
  expect(chosen(step(0.2), step(0.2))).toBe(PARABOLA);
});

test('who was not clearly better than reuse twice in a row does not extrapolate', () => {
  const good = [
    [REUSE, 1],
    [LINEAR, 0.9],
    [PARABOLA, 0.1],
  ] as const;
  const bad = [
    [REUSE, 1],
    [LINEAR, 0.9],
    [PARABOLA, 0.9],
  ] as const;
  expect(chosen(good, good)).toBe(PARABOLA);
  expect(chosen(good, bad)).not.toBe(PARABOLA);
});

test('the usual one stays if it was better than reuse once, and goes if it was worse twice', () => {
  const better = [
    [REUSE, 1],
    [LINEAR, 0.8],
  ] as const;
  const worse = [
    [REUSE, 1],
    [LINEAR, 1.05],
  ] as const;
  expect(chosen(worse, better)).toBe(LINEAR);
  expect(chosen(worse, worse)).toBe(REUSE);
});
