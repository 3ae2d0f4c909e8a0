import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PUBLISHED } from '../../../src/cache/settings.ts';
import type { GenerateRequest } from '../../../src/pipeline/job.ts';
import { parseTokenizer } from '../../../src/pipeline/tokenize.ts';
import { compare } from '../../../tools/bench-run.ts';
import { psnr } from '../../../tools/psnr.ts';
import { AnalyticBackend } from '../support/analytic-backend.ts';
import { testManifest } from '../support/manifest.ts';

test('PSNR is over colours of 8 bits and leaves alpha out', () => {
  const a = new Uint8ClampedArray([0, 0, 0, 255, 10, 10, 10, 255]);
  expect(psnr(a, a)).toBe(Infinity);
  const alphaOnly = a.slice();
  alphaOnly[3] = 0;
  expect(psnr(a, alphaOnly)).toBe(Infinity);
  const b = a.slice();
  b[0] = 6; // mean square 36/6
  expect(psnr(a, b)).toBeCloseTo(10 * Math.log10(255 ** 2 / 6), 10);
  expect(() => psnr(a, a.slice(4))).toThrow(RangeError);
});

test('methods run in turn over all requests and are compared with the first', async () => {
  const backend = new AnalyticBackend();
  const read = (name: string) =>
    parseTokenizer(
      readFileSync(new URL(`../../golden/tokenizers/${name}.json`, import.meta.url), 'utf8'),
      name,
    );
  const engine = {
    backend,
    tokenizers: { t5: read('t5'), clip: read('clip') },
    manifest: testManifest(),
  };
  const request: GenerateRequest = {
    prompt: 'a fox',
    seed: 1,
    steps: 20,
    width: 32,
    height: 32,
    cache: PUBLISHED,
    preview: false,
  };
  const none = { ...PUBLISHED, basis: 'none' as const };
  const log: string[] = [];
  const results = await compare(
    engine,
    [request, { ...request, seed: 2 }],
    [
      { name: 'full', steps: 20, cache: none },
      { name: 'hermite', steps: 20, cache: PUBLISHED },
      { name: 'fewer', steps: 5, cache: none },
    ],
    (line) => log.push(line.split(':')[0]!),
  );
  expect(log).toEqual([
    '1/2 full',
    '1/2 hermite',
    '1/2 fewer',
    '2/2 fewer',
    '2/2 hermite',
    '2/2 full',
  ]);
  expect(results.map(({ computeSteps }) => computeSteps)).toEqual([20, 5, 5]);
  expect(results[0]).toMatchObject({
    totalRatio: 1,
    denoiseRatio: 1,
    forecastCost: null,
    psnr: null,
  });
  expect(results[1]!.forecastCost).toBeGreaterThan(0);
  expect(results[1]!.runs).toHaveLength(2);
  expect(results[1]!.runs[0]!.forecastStepSeconds).toHaveLength(15);
});
