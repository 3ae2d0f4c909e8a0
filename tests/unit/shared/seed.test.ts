import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generatorSeed, parseSeed, seedProblem } from '../../../src/shared/seed.ts';

const MIN = -(2n ** 63n);
const MAX = 2n ** 64n - 1n;

describe('a seed', () => {
  test('of up to 64 bits stays exactly what was given', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: MIN, max: MAX }), (seed) => {
        const parsed = parseSeed(String(seed))!;
        expect(BigInt(parsed)).toBe(seed);
        // Through JSON and back, as stats files and lists have it.
        expect(parseSeed(JSON.parse(JSON.stringify(parsed)))).toBe(parsed);
        expect(generatorSeed(parsed)).toBe(Number(((seed % 2n ** 32n) + 2n ** 32n) % 2n ** 32n));
        expect(seedProblem(String(seed))).toBeUndefined();
      }),
      { examples: [[MIN], [MAX], [2n ** 53n], [2n ** 53n + 1n], [-(2n ** 53n) - 1n]] },
    );
  });

  test.each([
    ['7', 7],
    [' 7\n', 7],
    ['\u00a07\u00a0', 7],
    ['+7', 7],
    ['007', 7],
    ['-0', 0],
    ['-1', -1],
    ['4294967296', 4294967296],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['0018446744073709551615', '18446744073709551615'],
    [4294967296, 4294967296],
    [-0, 0],
  ])('%j is %j', (given, seed) => {
    expect(parseSeed(given)).toBe(seed);
  });

  test.each([
    ['18446744073709551616'],
    ['-9223372036854775809'],
    ['9'.repeat(10_000)],
    ['1.5'],
    ['1.0'],
    ['1e3'],
    ['0x10'],
    ['1_000'],
    ['1,000'],
    ['12 34'],
    ['-'],
    ['--1'],
    ['seven'],
    ['١٢'],
    [''],
    [' '],
    [0.5],
    [NaN],
    [Infinity],
    [2 ** 53],
    [null],
    [undefined],
    [7n],
    [[7]],
  ])('%o is none, and the message says which there are', (given) => {
    expect(parseSeed(given)).toBeUndefined();
    const problem = seedProblem(given)!;
    expect(problem).toMatch(
      /^The seed must be a whole number from -9223372036854775808 to 18446744073709551615[.,]/,
    );
    expect(problem.length).toBeLessThan(150);
  });
});
