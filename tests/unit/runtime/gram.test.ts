import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gram } from '../../../src/runtime/cpu/gram.ts';
import { rowsOf } from '../../../src/runtime/webgpu/kernels/gram.ts';
import { gramByHand } from './formula-bundle.ts';

/** One to seven anchors of one length, none included. */
const anchorSets = fc.integer({ min: 0, max: 40 }).chain((length) =>
  fc.array(
    fc
      .array(fc.double({ min: -100, max: 100, noNaN: true }), {
        minLength: length,
        maxLength: length,
      })
      .map((values) => Float32Array.from(values)),
    { minLength: 1, maxLength: 7 },
  ),
);

const squares = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x * x, 0);

describe('the products of anchors', () => {
  test('equal one product after the other', () => {
    fc.assert(
      fc.property(anchorSets, (anchors) => {
        const expected = gramByHand(anchors);
        const actual = gram(anchors);
        expect(actual).toHaveLength(((anchors.length + 1) * anchors.length) / 2);
        // Both add in double precision, in another grouping at most.
        const scale = Math.max(...expected.map(Math.abs), 1e-30);
        expected.forEach((value, i) => {
          expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(1e-6 * scale);
        });
      }),
    );
  });

  test('are laid out row by row: first the newest alone and with each difference', () => {
    const [a0, a1, a2] = [Float32Array.of(3, 1), Float32Array.of(1, 2), Float32Array.of(1, 5)];
    // e0 = (3, 1), e1 = (2, -1), e2 = (0, -3)
    expect([...gram([a0, a1, a2])]).toEqual([10, 5, -3, 5, 3, 9]);
    expect([...gram([a0])]).toEqual([10]);
  });

  test('give back the distance of any two anchors, even of large ones side by side', () => {
    fc.assert(
      fc.property(anchorSets, fc.nat(), (offsets, pick) => {
        // 1000 plus something small, as forecasts lie beside features.
        const anchors = offsets.map((offset) => offset.map((x) => 1000 + x / 1000));
        const last = pick % anchors.length;
        const count = anchors.length;
        const products = gram(anchors);
        // A0 - A_last = e1 + … + e_last
        let distance = 0;
        let at = 0;
        for (let i = 0; i < count; i++) {
          for (let j = i; j < count; j++) {
            if (i > 0 && j <= last) distance += (i === j ? 1 : 2) * products[at]!;
            at++;
          }
        }
        const differences = [...anchors[0]!].map((x, n) => x - anchors[last]![n]!);
        const terms = anchors.slice(1).map((anchor, i) => {
          return squares([...anchor].map((x, n) => anchors[i]![n]! - x));
        });
        const scale = terms.reduce((sum, term) => sum + Math.sqrt(term), 0) ** 2;
        // 28 products, each rounded to 24 bits once.
        expect(Math.abs(distance - squares(differences))).toBeLessThanOrEqual(1e-6 * scale);
      }),
    );
  });

  test('of none are an error', () => {
    expect(() => gram([])).toThrow(RangeError);
  });
});

test('the kernel’s columns become rows', () => {
  const columns = [0, 1, 11, 2, 12, 22, 3, 13, 23, 33];
  const padded = Float32Array.from({ length: 28 }, (_, i) => columns[i] ?? NaN);
  expect([...rowsOf(padded, 0)]).toEqual([0]);
  expect([...rowsOf(padded, 2)]).toEqual([0, 1, 2, 11, 12, 22]);
  expect([...rowsOf(padded, 3)]).toEqual([0, 1, 2, 3, 11, 12, 13, 22, 23, 33]);
});
