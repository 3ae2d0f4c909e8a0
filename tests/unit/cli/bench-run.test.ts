import { mkdtemp, readFile, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BenchFile, openBenchFile } from '../../../cli/bench/file.ts';
import { type Method, methodsFor } from '../../../cli/bench/methods.ts';
import { lineKey, type Progress, runBench } from '../../../cli/bench/run.ts';
import { HEADER, testEngine } from './bench-engine.ts';

const FAMILIES = ['full', 'euler', 'hermite', 'auto-correct', 'chebyshev'];
const METHODS = methodsFor(20, [6]).filter(({ family }) => FAMILIES.includes(family));
const SUBJECTS = [1, 2].map((seed) => ({ prompt: 'a fox', seed, width: 32, height: 32 }));
const methodNamed = (family: string): Method => METHODS.find((one) => one.family === family)!;

let folder: string;
let engine: ReturnType<typeof testEngine>;
let file: BenchFile;
let progress: Progress[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'));
  engine = testEngine();
  file = await openBenchFile(join(folder, 'run.jsonl'), HEADER);
  progress = [];
});

afterEach(() => rm(folder, { recursive: true }));

function run(
  methods: readonly Method[] = METHODS,
  options: { signal?: AbortSignal; pictures?: string; subjects?: typeof SUBJECTS } = {},
): Promise<void> {
  const { subjects = SUBJECTS, ...rest } = options;
  return runBench(engine, subjects, methods, file, {
    signal: new AbortController().signal,
    onProgress: (one) => progress.push(one),
    ...rest,
  });
}

/** Prompt and method of every line of the file. */
async function written(): Promise<string[]> {
  const lines = (await readFile(file.path, 'utf8')).trim().split('\n').slice(1);
  return lines.map((line) => {
    const { case: n, method } = JSON.parse(line) as { case: number; method: string };
    return `${n} ${method}`;
  });
}

const trunks = (): number => engine.backend.calls.filter((call) => call === 'trunk').length;

test('the full run goes first, then the methods, every second time in reverse', async () => {
  await run();
  const others = METHODS.slice(1).map(({ id }) => id);
  expect(await written()).toEqual([
    '0 full',
    ...others.map((id) => `0 ${id}`),
    '1 full',
    ...others.toReversed().map((id) => `1 ${id}`),
  ]);
  expect(progress.map(({ done }) => done)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(progress.at(-1)).toMatchObject({ all: 10, secondsLeft: 0 });
});

test('a line has what the run did and how far it is from the full run', async () => {
  await run();
  const full = file.find(lineKey(methodNamed('full'), 0, undefined))!;
  expect(full).toMatchObject({
    computed: 20,
    calls: { trunk: 20, head: 20, feature: 0 },
    forecastCost: null,
    psnr: null,
    latentError: 0,
  });
  expect(full.ssim).toBeCloseTo(1, 12);
  expect(full.seconds).toEqual(full.fullSeconds);
  const euler = file.find(lineKey(methodNamed('euler'), 0, undefined))!;
  expect(euler).toMatchObject({ computed: 6, calls: { trunk: 6, head: 6, feature: 0 } });
  expect(euler.latentError).toBeGreaterThan(0.001);
  expect(euler.ssim).toBeLessThan(1);
  expect(euler.psnr).toBeGreaterThan(0);
  // Interval and first steps as published for 6 of 20; heads are run again for the correction.
  const corrected = file.find(lineKey(methodNamed('auto-correct'), 0, undefined))!;
  expect(corrected.computed).toBe(6);
  expect(corrected.calls.head).toBeGreaterThan(20);
  expect(corrected.calls.feature).toBeGreaterThan(14);
  expect(corrected.forecastCost).toBeGreaterThan(0);
  expect(corrected.seconds.total).toBeGreaterThanOrEqual(corrected.seconds.denoise);
});

test('a bench that is done makes no picture again', async () => {
  await run();
  const before = trunks();
  await run();
  expect(trunks()).toBe(before);
});

test('one that was stopped goes on, with the full run as the only one made again', async () => {
  const abort = new AbortController();
  const stopAfter = 7;
  const stopping = runBench(engine, SUBJECTS, METHODS, file, {
    signal: abort.signal,
    onProgress: ({ done }) => {
      if (done === stopAfter) abort.abort();
    },
  });
  await expect(stopping).rejects.toMatchObject({ code: 'cancelled' });
  const before = await written();
  expect(before).toHaveLength(stopAfter);

  file = await openBenchFile(file.path, HEADER);
  engine.backend.calls.length = 0;
  await run();
  const after = await written();
  expect(after).toHaveLength(10);
  expect(new Set(after).size).toBe(10);
  const missing = METHODS.filter(({ id }) => !before.includes(`1 ${id}`));
  const expected = missing.reduce(
    (sum, one) => sum + file.find(lineKey(one, 1, undefined))!.computed,
    0,
  );
  expect(trunks()).toBe(2 + 20 + expected); // warm-up, full run, what was missing
});

test('more prompts and other settings of a method are made, and nothing else', async () => {
  await run(METHODS, { subjects: SUBJECTS.slice(0, 1) });
  const hermite = methodNamed('hermite');
  const changed = { ...hermite, cache: { ...hermite.cache, sigma: 0.7 } };
  await run([METHODS[0]!, changed]);
  expect((await written()).slice(METHODS.length)).toEqual(['0 hermite-6', '1 full', '1 hermite-6']);
});

test('pictures are written, and made again where they are missing', async () => {
  const pictures = join(folder, 'pictures');
  const methods = METHODS.slice(0, 2);
  await run(methods);
  await run(methods, { pictures });
  const path = join(pictures, 'euler-6', '1.png');
  expect([...(await readFile(path)).subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
  await unlink(path);
  const before = trunks();
  await run(methods, { pictures });
  expect(trunks() - before).toBe(2 + 20 + 6);
  await readFile(path);
});
