import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Gram } from '../../../src/forecast/verification/gram.ts';
import { dot, gramOf, minus, scaled, sum } from './vectors.ts';

const vectors = fc
  .integer({ min: 1, max: 6 })
  .chain((older) =>
    fc.array(
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 9, maxLength: 9 }),
      { minLength: older + 1, maxLength: older + 1 },
    ),
  )
  .filter(([newest]) => dot(newest!, newest!) > 1e-3);

test('tells the error of any weights as the features themselves do', () => {
  fc.assert(
    fc.property(
      vectors,
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 }),
      (anchors, given) => {
        const [newest, ...older] = anchors;
        const weights = given.slice(0, older.length);
        const forecast = sum(weights.map((weight, j) => scaled(older[j]!, weight)));
        const error = minus(newest!, forecast);
        const expected = Math.sqrt(dot(error, error) / dot(newest!, newest!));
        expect(gramOf(anchors).forecastError(weights)).toBeCloseTo(expected, 6);
      },
    ),
  );
});

test('gives back the raw inner products', () => {
  fc.assert(
    fc.property(vectors, (anchors) => {
      const gram = gramOf(anchors);
      anchors.forEach((a, i) =>
        anchors.forEach((b, j) => expect(gram.anchorProduct(i, j)).toBeCloseTo(dot(a, b), 8)),
      );
    }),
  );
});

test('without the newest anchor is that of the others', () => {
  fc.assert(
    fc.property(vectors, (anchors) => {
      const [, ...older] = anchors;
      const direct = gramOf(older);
      const derived = gramOf(anchors).withoutNewest();
      expect(derived.older).toBe(older.length - 1);
      for (let i = 0; i < older.length; i++) {
        for (let j = 0; j < older.length; j++) {
          expect(derived.at(i, j)).toBeCloseTo(direct.at(i, j), 8);
        }
      }
    }),
  );
});

test('says whether every feature is finite', () => {
  expect(
    gramOf([
      [1, 2],
      [3, 4],
    ]).finite,
  ).toBe(true);
  expect(
    gramOf([
      [1, NaN],
      [3, 4],
    ]).finite,
  ).toBe(false);
  expect(
    gramOf([
      [1, 2],
      [Infinity, 4],
    ]).finite,
  ).toBe(false);
});

test('refuses too few products and weights without an anchor', () => {
  expect(() => new Gram([1, 2], 1)).toThrow(RangeError);
  expect(() => gramOf([[1], [2]]).forecastError([1, 2])).toThrow(RangeError);
});
