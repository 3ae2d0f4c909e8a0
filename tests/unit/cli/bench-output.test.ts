import { DOMParser } from '@xmldom/xmldom';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from 'prettier';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plot, spreadApart } from '../../../cli/bench/plot.ts';
import { renderFolder } from '../../../cli/bench/render.ts';
import { readResults, writeResults } from '../../../cli/bench/results.ts';
import { byBudget, table, tables } from '../../../cli/bench/table.ts';
import { madeUpResults } from './bench-engine.ts';

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

describe('tables', () => {
  test('a tolerance stands with the smallest budget not below its compute steps', () => {
    const groups = byBudget(madeUpResults());
    const has = (n: number) => groups[n]!.methods.some(({ family }) => family === 'tolerance');
    expect(groups.map(({ budget }) => budget)).toEqual([7, 14]);
    expect([has(0), has(1)]).toEqual([false, true]); // 10.5 computed
    const small = { ...madeUpResults(), budgets: [7] };
    expect(byBudget(small).at(-1)!.budget).toBeNull();
  });

  test('of all sigmas they show the published one and the best', () => {
    const results = madeUpResults(null, ({ family }) =>
      family === 'hermite-sigma-0.7' ? 0.1 : family === 'hermite' ? 0.3 : 0.5,
    );
    const shown = byBudget(results)[0]!.methods.filter(({ sweep }) => sweep);
    expect(shown.map(({ family }) => family)).toEqual(['hermite', 'hermite-best']);
    expect(shown[1]).toMatchObject({ cache: { sigma: 0.7 }, latentError: { median: 0.0142857 } });
    expect(shown[1]!.label).toContain('in hindsight');
    expect(shown[1]!.note).toContain('sigma 0.7');
  });

  test('brackets hold the worse side, bold is the least error', () => {
    const [, one, two] = madeUpResults().methods;
    const better = {
      ...one!,
      psnr: { median: 30, p10: 25, p90: null },
      ssim: { median: 0.9, p10: 0.8, p90: 0.95 },
      latentError: { median: 0.01, p10: 0.005, p90: 0.02 },
    };
    const worse = { ...two!, latentError: { median: null, p10: 1, p90: null } };
    const [titles, , first, second] = table([better, worse]).split('\n').map(cellsOf);
    const at = (name: string): number => titles!.indexOf(name);
    expect(first![at('PSNR dB (p10)')]).toBe('30.0 (25.0)');
    expect(first![at('SSIM (p10)')]).toBe('0.9000 (0.8000)');
    expect(first![at('latent error (p90)')]).toBe('**0.0100 (0.0200)**');
    expect(second![at('latent error (p90)')]).toBe('∞ (∞)');
    expect(titles).not.toContain('object');
  });

  test('accuracies have columns where they are known', () => {
    const text = tables(madeUpResults({ object: 0.75, background: 1 }));
    expect(text).toContain('75.0 %');
    expect(text).toMatch(/\| +object \| background \|/);
  });
});

describe('the plot', () => {
  const parse = (svg: string) => new DOMParser().parseFromString(svg, 'image/svg+xml');

  test('is well-formed, with a labelled line for every method', () => {
    const results = madeUpResults();
    const svg = parse(plot(results));
    expect(svg.documentElement!.tagName).toBe('svg');
    const families = new Set(
      byBudget(results).flatMap(({ methods }) => methods.map(({ family }) => family)),
    );
    const lines = [...svg.getElementsByTagName('polyline')];
    expect(lines).toHaveLength(families.size);
    const labels = [...svg.getElementsByTagName('text')].map(({ textContent }) => textContent);
    for (const { label } of byBudget(results)[0]!.methods) expect(labels).toContain(label);
    for (const line of lines) {
      const numbers = line.getAttribute('points')!.split(/[ ,]/).map(Number);
      for (const number of numbers) expect(number > 0 && number < 1000).toBe(true);
    }
  });

  test('lower errors are lower, and more compute steps further right', () => {
    const results = madeUpResults();
    const svg = parse(plot(results));
    const points = [...svg.getElementsByTagName('polyline')]
      .map((line) => line.getAttribute('points')!.split(' '))
      .find((all) => all.length === 2)!
      .map((point) => point.split(',').map(Number));
    expect(points[0]![0]).toBeLessThan(points[1]![0]!);
    const euler = results.methods.filter(({ family }) => family === 'euler');
    const falls = euler[0]!.latentError.median! > euler[1]!.latentError.median!;
    expect(points[0]![1]! < points[1]![1]!).toBe(falls);
  });

  test('leaves out what no logarithm has, and stays a plot of nothing', () => {
    const svg = parse(plot(madeUpResults(null, () => 0)));
    expect([...svg.getElementsByTagName('polyline')]).toHaveLength(0);
    expect(plot(madeUpResults(null, () => Infinity))).not.toMatch(/NaN|Infinity/);
  });

  test('labels keep their distance and their order', () => {
    const placed = spreadApart([300, 301, 100, 583, 584, 585]);
    const sorted = placed.toSorted((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++) expect(sorted[i]! - sorted[i - 1]!).toBeGreaterThan(16);
    expect(placed[2]).toBe(100);
    expect(placed[0]!).toBeLessThan(placed[1]!);
    expect(Math.max(...placed)).toBeLessThan(620);
  });
});

describe('a folder of results', () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'bench-')), 'new');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  test('several benches make one page, each with its plot', async () => {
    const results = madeUpResults();
    expect(await writeResults(folder, results)).toBe(join(folder, 'results-50-shift1.json'));
    await writeResults(folder, { ...results, steps: 28, shift: 3 });
    await writeResults(folder, { ...results, backend: { ...results.backend, kind: 'webgpu' } });
    expect((await readResults(folder)).map(({ steps }) => steps)).toEqual([50, 50, 28]);
    expect((await readResults(folder))[0]).toEqual(results);

    const page = await readFile(await renderFolder(folder), 'utf8');
    expect(page.match(/^## .*$/gm)).toEqual([
      '## 50 steps, timestep shift 1',
      '## 50 steps, timestep shift 1',
      '## 28 steps, timestep shift 3',
    ]);
    for (const [, name] of page.matchAll(/\]\((error-.*\.svg)\)/g)) {
      expect(await readFile(join(folder, name!), 'utf8')).toContain('</svg>');
    }
    expect(page.match(/error-/g)).toHaveLength(3);
    const options = { singleQuote: true, printWidth: 100 };
    expect(await check(page, { ...options, parser: 'markdown' })).toBe(true);
  });

  test('without results, or with something else, is a mistake that is named', async () => {
    await expect(renderFolder(folder)).rejects.toMatchObject({ code: 'not-found' });
    await mkdir(folder);
    await writeFile(join(folder, 'results-x.json'), '{"format":"other"}');
    await expect(renderFolder(folder)).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining('results-x.json') as string,
    });
  });
});
