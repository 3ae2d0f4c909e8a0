import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { flowTimes } from '../../../src/sampling/scheduler.ts';

/** Made by training/pipeline_goldens.py with diffusers' FlowMatchEulerDiscreteScheduler. */
const { cases } = JSON.parse(
  readFileSync(new URL('../../golden/sigmas.json', import.meta.url), 'utf8'),
) as {
  cases: {
    steps: number;
    imageTokens: number;
    scheduler: Manifest['scheduler'];
    sigmas: number[];
  }[];
};

test.each(cases)(
  "$steps steps, $imageTokens tokens, $scheduler are diffusers' flow times",
  ({ steps, imageTokens, scheduler, sigmas }) => {
    const actual = flowTimes(steps, imageTokens, scheduler);
    expect(actual.length).toBe(steps + 1);
    for (const [i, sigma] of sigmas.entries()) {
      expect(Math.abs(actual[i]! - sigma)).toBeLessThan(1.3e-7);
    }
    expect(actual[steps]).toBe(0);
  },
);

test('flow time starts at noise and falls', () => {
  for (const { steps, imageTokens, scheduler } of cases) {
    const actual = flowTimes(steps, imageTokens, scheduler);
    expect(actual[0]).toBeCloseTo(1, 6);
    for (let i = 0; i < steps; i++) expect(actual[i + 1]).toBeLessThan(actual[i]!);
  }
});
