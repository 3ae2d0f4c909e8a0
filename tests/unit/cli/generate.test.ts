import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import { generateCommand } from '../../../cli/commands/generate.ts';
import { testBundleFiles } from '../support/bundle-folder.ts';

// Everything here ends before a backend starts, so the bundle's graphs may be nonsense.
let folder: string;
let bundle: string;
let out: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'generate-'));
  bundle = join(folder, 'bundle');
  out = join(folder, 'x.png');
  for (const [path, bytes] of testBundleFiles().files) {
    await mkdir(dirname(join(bundle, path)), { recursive: true });
    await writeFile(join(bundle, path), bytes);
  }
  await truncate(join(bundle, 'tokenizer_2/tokenizer.json'), 100);
});

afterAll(() => rm(folder, { recursive: true }));

async function failureOf(args: string[]): Promise<AppError> {
  const error = await generateCommand(args).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).hint).not.toBe('');
  return error as AppError;
}

test.each([
  ['', 'The prompt is empty'],
  ['--steps 0', 'Steps must be a whole number from 1 to 1000, not 0'],
  ['--steps 10000', 'not 10000'],
  ['--steps ten', '--steps must be a number, not "ten"'],
  ['--seed -9223372036854775809', 'The seed must be a whole number'],
  ['--seed 18446744073709551616', 'not 18446744073709551616'],
  ['--seed 1.5', 'not 1.5'],
  ['--seed=', '--seed: The seed must be a whole number'],
  ['--sigma -1', 'sigma must be a number from 0.1 to 1, not -1'],
  ['--width 40', 'The width must be'],
  ['--height 4096', 'The height must be'],
  ['--guidance 3.5', 'This model takes no guidance scale.'],
  ['--guidance much', '--guidance must be a number, not "much"'],
  ['--memory 0', '--memory must be a whole number from 1, not 0'],
  ['--basis fourier', '--basis cannot be "fourier"'],
  ['--sigma 0', 'sigma must be'],
  ['--order 9', 'order must be'],
  ['--interval 0', 'interval must be'],
  ['--first-enhance 99', 'firstEnhance must be'],
  ['--differences backward', '--differences cannot be "backward"'],
  ['--backend cuda', '--backend cannot be "cuda"'],
  ['--colour red', "Unknown option '--colour'"],
])('%s is a mistake of the caller: %s', async (options, message) => {
  const prompt = options === '' ? [] : ['a fox'];
  const args = [...prompt, '--out', out, '--bundle', bundle, ...options.split(' ').filter(Boolean)];
  const error = await failureOf(args);
  expect(error.code).toBe('bad-request');
  expect(error.message).toContain(message);
});

test('a prompt without quotes is found out', async () => {
  const error = await failureOf(['a', 'big', 'fox', '--out', out, '--bundle', bundle]);
  expect(error).toMatchObject({ code: 'bad-request', hint: 'Put the prompt in quotes.' });
});

test.each([[[]], [['--out', 'picture.jpg']]])('%o names no PNG file', async (options) => {
  const error = await failureOf(['a fox', ...options]);
  expect(error).toMatchObject({ code: 'bad-request' });
  expect(error.hint).toContain('--out FILE.png');
});

test('a bundle that is not there', async () => {
  const error = await failureOf(['a fox', '--out', out, '--bundle', join(folder, 'nothing')]);
  expect(error.code).toBe('not-found');
  expect(error.message).toContain(join(folder, 'nothing', 'manifest.json'));
});

test('a bundle with a file that is cut short', async () => {
  const error = await failureOf(['a fox', '--out', out, '--bundle', bundle]);
  expect(error.code).toBe('bad-bundle');
  expect(error.message).toMatch(/tokenizer_2\/tokenizer\.json is cut short: it has 100 bytes/);
});
