import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadKnownWords } from '../../../src/prompt/words/unknown-words.ts';
import { readAccuracies } from '../../../cli/bench/accuracy.ts';
import { benchOptions } from '../../../cli/bench/options.ts';
import { openPictures } from '../../../cli/bench/images.ts';
import { readCases } from '../../../cli/bench/prompts.ts';
import { DEFAULT_BUNDLE } from '../../../cli/lib/engine.ts';
import { openBundleFolder } from '../../../src/node/folder-bundle.ts';
import { HEADER } from './bench-engine.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'));
  path = join(folder, 'file.json');
});

afterEach(() => rm(folder, { recursive: true }));

describe('options', () => {
  test('by default everything at the usual budgets', () => {
    const options = benchOptions([]);
    expect(options).toMatchObject({ steps: 50, budgets: [7, 9, 14, 20], backend: 'cpu' });
    expect(options.shift).toBeUndefined();
    expect(options.out).toBe('docs/benchmarks');
    expect(benchOptions(['--steps', '28']).budgets).toEqual([6, 10]);
    expect(benchOptions(['--steps', '20']).budgets).toEqual([3, 4, 6, 8]);
  });

  test('a quick look is a few methods at one budget, and writes nothing', () => {
    const { methods, out } = benchOptions(['--quick', '--limit', '3']);
    expect(methods.map(({ id }) => id)).toEqual([
      'full',
      'euler-9',
      'reuse-9',
      'hermite-9',
      'budget-9',
    ]);
    expect(out).toBeUndefined();
    expect(benchOptions(['--quick', '--out', 'x']).out).toBe('x');
  });

  test('methods can be picked; the full run stays', () => {
    const { methods } = benchOptions(['--methods', 'euler,tolerance', '--budgets', '14,9,9']);
    expect(methods.slice(0, 4).map(({ id }) => id)).toEqual([
      'full',
      'euler-9',
      'euler-14',
      'tolerance-0.005',
    ]);
  });

  test.each([
    ['--limit', '0'],
    ['--limit', '1.5'],
    ['--limit', 'many'],
    ['--steps', '1'],
    ['--steps', '1001'],
    ['--budgets', '7,x'],
    ['--budgets', '50'],
    ['--budgets', '0'],
    ['--budgets', ''],
    ['--budgets', '3'],
    ['--methods', 'euler,magic'],
    ['--shift', '0'],
    ['--shift', '-1'],
    ['--backend', 'tpu'],
    ['--colour', 'red'],
    ['a fox', '--quick'],
  ])('%s %s is a mistake of the caller', (...args) => {
    expect(() => benchOptions(args)).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });
});

describe('prompts', () => {
  test('the fixed list is of words that the model knows, and of none of its examples', async () => {
    const cases = await readCases();
    expect(new Set(cases.map(({ prompt }) => prompt)).size).toBe(64);
    expect(new Set(cases.map(({ seed }) => seed)).size).toBe(64);
    const bundle = await openBundleFolder(DEFAULT_BUNDLE);
    const known = (await loadKnownWords(bundle))!;
    const { examples } = bundle.manifest;
    for (const { prompt } of cases) {
      expect(known.unknownIn(prompt), prompt).toEqual([]);
      // Calibration makes pictures of these.
      expect(examples).not.toContain(prompt);
    }
  });

  test('from a file', async () => {
    await writeFile(path, '[{"prompt":"a fox","seed":5}]');
    expect(await readCases(path)).toEqual([{ prompt: 'a fox', seed: 5 }]);
  });

  test.each(['', '{}', '[]', '[{"prompt":"a fox"}]', '[{"prompt":"","seed":1}]', '["a fox"]'])(
    '%j is no list of prompts',
    async (text) => {
      await writeFile(path, text);
      await expect(readCases(path)).rejects.toMatchObject({ code: 'bad-request' });
    },
  );

  test('a file that is not there', async () => {
    await expect(readCases(path)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('accuracies', () => {
  const report = (change = {}) =>
    JSON.stringify({
      pictures: 2,
      methods: { full: { 'object accuracy': 0.5, 'background accuracy': 1, ...change } },
    });

  test('by method', async () => {
    await writeFile(path, report());
    expect([...(await readAccuracies(path, 2))]).toEqual([
      ['full', { object: 0.5, background: 1 }],
    ]);
  });

  test('of another number of pictures, or not of this form, are refused', async () => {
    await writeFile(path, report());
    await expect(readAccuracies(path, 3)).rejects.toThrow(
      /judges 2 pictures of each method, not 3/,
    );
    for (const text of ['{', '{}', report({ 'object accuracy': 50 })]) {
      await writeFile(path, text);
      await expect(readAccuracies(path, 2)).rejects.toMatchObject({ code: 'bad-request' });
    }
    await expect(readAccuracies(`${path}x`, 2)).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('a folder of pictures belongs to one bench', async () => {
  const cases = [{ prompt: 'a fox', seed: 1 }];
  const pictures = join(folder, 'pictures');
  await openPictures(pictures, HEADER, cases);
  await openPictures(pictures, HEADER, [...cases, { prompt: 'a cat', seed: 2 }]);
  expect(JSON.parse(await readFile(join(pictures, 'prompts.json'), 'utf8'))).toHaveLength(2);
  await expect(openPictures(pictures, { ...HEADER, shift: 3 }, cases)).rejects.toMatchObject({
    code: 'bad-request',
  });
});
