import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { decode } from 'fast-png';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PUBLISHED } from '../../../src/forecast/settings.ts';
import type { GenerateRequest } from '../../../src/sampling/job.ts';
import { readArguments } from '../../../cli/lib/args.ts';
import { generateCommand, makePicture } from '../../../cli/commands/generate.ts';
import { type Job, jobsFrom } from '../../../cli/lib/generate-jobs.ts';
import { testBundleFiles } from '../support/bundle-folder.ts';
import { testManifest } from '../support/manifest.ts';
import { testEngine } from './bench-engine.ts';

const LIST = [
  { prompt: 'a fox', seed: 5 },
  { prompt: 'a red cat', seed: 6 },
  { prompt: 'two dogs', seed: 7 },
];
const REQUEST: GenerateRequest = {
  prompt: '',
  seed: 1,
  steps: 3,
  sampler: 'euler',
  width: 32,
  height: 32,
  guidance: undefined,
  cache: PUBLISHED,
  preview: false,
};

let folder: string;
let list: string;
let out: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'generate-list-'));
  list = join(folder, 'prompts.json');
  out = join(folder, 'pictures');
  await writeFile(list, JSON.stringify(LIST));
});

afterEach(() => rm(folder, { recursive: true }));

function jobs(...args: string[]): Promise<Job[]> {
  const parsed = readArguments(args, ['list', 'out', 'seed', 'stats']);
  return jobsFrom(parsed, REQUEST, testManifest());
}

test('every prompt of a list has its own seed and file, and all else in common', async () => {
  const found = await jobs('--list', list, '--out', out);
  expect(found).toEqual(
    LIST.map((one, n) => ({ request: { ...REQUEST, ...one }, path: join(out, `${n}.png`) })),
  );
});

test('seeds of 64 bits are read exactly, as numbers and as text', async () => {
  const seeds = '18446744073709551615, 9007199254740993, "9007199254740993", -9223372036854775808';
  const prompts = seeds
    .split(', ')
    .map((seed) => `{"prompt": "a 12345678901234567890", "seed": ${seed}}`);
  await writeFile(list, `[${prompts.join(',')}, {"prompt": "5", "seed": -1}]`);
  const found = await jobs('--list', list, '--out', out);
  expect(found.map(({ request }) => request.seed)).toEqual([
    '18446744073709551615',
    '9007199254740993',
    '9007199254740993',
    '-9223372036854775808',
    -1,
  ]);
  expect(found[0]!.request.prompt).toBe('a 12345678901234567890');
});

test('what is there already is not made again, half a picture is', async () => {
  await mkdir(out);
  await writeFile(join(out, '1.png'), 'a picture');
  await writeFile(join(out, '2.png.part'), 'half of one');
  const found = await jobs('--list', list, '--out', out);
  expect(found.map(({ request }) => request.seed)).toEqual([5, 7]);
});

test('one engine makes them all', async () => {
  const engine = testEngine();
  for (const job of await jobs('--list', list, '--out', out)) {
    await makePicture(engine, job, new AbortController().signal);
  }
  expect((await readdir(out)).toSorted()).toEqual(['0.png', '1.png', '2.png']);
  const [first, second] = await Promise.all(
    ['0.png', '1.png'].map(async (name) => decode(await readFile(join(out, name)))),
  );
  expect([first!.width, first!.height]).toEqual([32, 32]);
  expect(first!.data).not.toEqual(second!.data);
  expect(await jobs('--list', list, '--out', out)).toEqual([]);
});

test('nothing starts when all of them are there', async () => {
  const bundle = join(folder, 'bundle'); // its graphs are nonsense: no backend would start
  for (const [path, bytes] of testBundleFiles().files) {
    await mkdir(dirname(join(bundle, path)), { recursive: true });
    await writeFile(join(bundle, path), bytes);
  }
  await mkdir(out);
  await Promise.all(LIST.map((_, n) => writeFile(join(out, `${n}.png`), 'a picture')));
  await generateCommand(['--list', list, '--out', out, '--bundle', bundle]);
  expect(await readFile(join(out, '0.png'), 'utf8')).toBe('a picture');
});

test.each([
  [['a fox', '--list', 'LIST', '--out', 'OUT'], 'and a prompt too: a fox'],
  [['--list', 'LIST', '--out', 'OUT', '--seed', '4'], '--seed does not go with --list'],
  [['--list', 'LIST', '--out', 'OUT', '--stats', 'x.json'], '--stats does not go with --list'],
  [['--list', 'LIST'], 'There is no folder to write to'],
  [['--list', 'LIST', '--out', 'x.png'], 'x.png is the name of one picture'],
])('%o is a mistake of the caller: %s', async (args, message) => {
  const named = args.map((one) => (one === 'LIST' ? list : one === 'OUT' ? out : one));
  await expect(jobs(...named)).rejects.toMatchObject({ code: 'bad-request' });
  await expect(jobs(...named)).rejects.toThrow(message);
});

test('a prompt of the list that is not possible is named before any picture is made', async () => {
  await writeFile(list, JSON.stringify([...LIST, { prompt: 'a fox', seed: 0.5 }]));
  await expect(jobs('--list', list, '--out', out)).rejects.toThrow(
    'Prompt 3 of the list: The seed must be',
  );
});

test('a list that is not there', async () => {
  await expect(jobs('--list', `${list}x`, '--out', out)).rejects.toMatchObject({
    code: 'not-found',
  });
});
