import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rotaryTables } from '../../../src/runtime/rotary.ts';

interface Golden {
  madeBy: string;
  cases: {
    textTokens: number;
    rows: number;
    columns: number;
    axes: [number, number, number];
    cos: number[];
    sin: number[];
  }[];
}

// Values of diffusers' FluxPosEmbed, made by training/rotary_golden.py.
const golden = JSON.parse(readFileSync('tests/golden/rotary.json', 'utf8')) as Golden;

test.each(golden.cases)('$rows x $columns tokens, axes $axes, as in diffusers', (example) => {
  const { cos, sin } = rotaryTables(example.textTokens, example, example.axes);
  expect(cos.length).toBe(example.cos.length);
  for (const [actual, expected] of [
    [cos, example.cos],
    [sin, example.sin],
  ] as const) {
    const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(actual[i]! - x)), 0);
    // One unit in the last place of float32 near 1.
    expect(worst).toBeLessThanOrEqual(6e-8);
  }
});
