import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { benchCommand } from '../../../cli/commands/bench.ts';
import { calibrateCommand } from '../../../cli/commands/calibrate.ts';
import { generateCommand } from '../../../cli/commands/generate.ts';
import { checkOutputFolder, checkOutputs, writeOutput } from '../../../cli/lib/outputs.ts';
import { openCalibrateFile } from '../../../cli/calibrate/file.ts';
import { testBundleFiles } from '../support/bundle-folder.ts';

let folder: string;
const at = (path: string): string => join(folder, path);
const out = (path: string) => ({ path, option: '--out' });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outputs-'));
  await writeFile(at('file'), 'mine');
  await mkdir(at('folder.png/inside'), { recursive: true });
  await mkdir(at('half.png.part'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Everything below the folder, to see that a check leaves nothing behind. */
const tree = (): Promise<string[]> => readdir(folder, { recursive: true });

/** Paths that cannot be written, in words that name why. `/sys` takes no files of anybody. */
const BAD: readonly (readonly [path: string, reason: RegExp])[] = [
  ['file/a.png', /file is a file, not a folder\.$/],
  ['file/deep/er/a.png', /file is a file, not a folder\.$/],
  ['folder.png', /folder\.png cannot be written: there is a folder of that name\.$/],
  ['half.png', /there is a folder of the name .*half\.png/],
  [`${'x'.repeat(300)}.png`, /the name is too long/],
  [`new/${'x'.repeat(300)}/a.png`, /the name is too long/],
  ['/sys/hicache/a.png', /you may not write there|read-only/],
  ['/dev/null', /it is not a regular file/],
];
const resolved = (path: string): string => (path.startsWith('/') ? path : at(path));

describe('a file that cannot be written', () => {
  test.each(BAD)('is found before anything is written: %s', async (path, message) => {
    const before = await tree();
    await expect(checkOutputs([out(resolved(path))])).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringMatching(message) as string,
      hint: 'Choose another place with --out.',
    });
    expect(await tree()).toEqual(before);
  });

  test.each([
    ['', /--out has no name/],
    ['  ', /--out has no name/],
    ['folder/', /that is the name of a folder/],
  ])('is found by its name alone: "%s"', async (path, message) => {
    await expect(checkOutputs([out(path)])).rejects.toThrow(message);
  });

  test('is found among many', async () => {
    const many = [1, 2, 3].map((n) => out(at(`new/${n}.png`)));
    await expect(checkOutputs([...many, out(at('file/4.png'))])).rejects.toThrow(/4\.png/);
    expect(await tree()).not.toContain('new');
  });

  test('is found where two outputs are in each other’s way', async () => {
    const stats = (path: string) => ({ path: at(path), option: '--stats' });
    const picture = out(at('a.png'));
    await expect(checkOutputs([picture, stats('x/../a.png')])).rejects.toThrow(/are the same file/);
    await expect(checkOutputs([picture, stats('a.png/b.json')])).rejects.toThrow(
      /are a file and a folder of the same name/,
    );
    await checkOutputs([picture, stats('a.json')]);
  });
});

describe('a file that can be written', () => {
  test.each(['a.png', 'new/deep/a.png', 'file', 'link'])(
    'leaves nothing behind: %s',
    async (path) => {
      await symlink('file', at('link'));
      const before = await tree();
      await checkOutputs([out(at(path))]);
      expect(await tree()).toEqual(before);
      expect(await readFile(at('file'), 'utf8')).toBe('mine');
      await writeOutput(out(at(path)), 'new');
      expect(await readFile(at(path), 'utf8')).toBe('new');
      expect((await tree()).filter((name) => name.endsWith('.part'))).toEqual(['half.png.part']);
    },
  );

  test('stays a link, whose target is written', async () => {
    await symlink('file', at('link'));
    await writeOutput(out(at('link')), 'new');
    expect(await readFile(at('file'), 'utf8')).toBe('new');
  });
});

test.each(BAD.slice(0, 5))(
  'a write that fails all the same says why: %s',
  async (path, message) => {
    const reason = path === 'folder.png' ? /cannot be written/ : message;
    await expect(writeOutput(out(at(path)), 'new')).rejects.toThrow(reason);
  },
);

test('folders are tried too', async () => {
  const before = await tree();
  await checkOutputFolder(out(at('folder.png')));
  await checkOutputFolder(out(at('new/folder')));
  expect(await tree()).toEqual(before);
  await expect(checkOutputFolder(out(at('file')))).rejects.toThrow(/file is a file, not a folder/);
});

test('a run file that cannot be written says why', async () => {
  await expect(openCalibrateFile(at('file/run'), { model: 'm' })).rejects.toThrow(
    /file is a file, not a folder/,
  );
  const file = await openCalibrateFile(at('run.jsonl'), { model: 'm' });
  await rm(at('run.jsonl'));
  await mkdir(at('run.jsonl'));
  await expect(file.append({ work: 'a', result: 1 })).rejects.toMatchObject({
    code: 'bad-request',
    hint: 'Choose another place with --run.',
  });
});

describe('commands check before they start an engine', () => {
  /** Its graphs are nonsense: an engine that started would fail with `bad-bundle`. */
  let bundle: string;
  beforeEach(async () => {
    bundle = at('bundle');
    for (const [path, bytes] of testBundleFiles().files) {
      await mkdir(dirname(join(bundle, path)), { recursive: true });
      await writeFile(join(bundle, path), bytes);
    }
    await writeFile(
      at('list.json'),
      '[{"prompt": "a fox", "seed": 1}, {"prompt": "a cat", "seed": 2}]',
    );
  });

  test.each([
    ['a fox', '--out', 'file/a.png'],
    ['a fox', '--out', 'folder.png'],
    ['a fox', '--out', 'a.png', '--stats', 'file/a.json'],
    ['a fox', '--out', 'a.png', '--stats', 'folder.png'],
    ['a fox', '--out', 'a.png', '--stats', 'a.png'],
    ['--list', 'list.json', '--out', 'file'],
    ['--list', 'list.json', '--out', 'file/deep'],
  ])('generate %s %s %s', async (...args) => {
    const named = args.map((arg) => (/^(file|folder|a\.|list)/.test(arg) ? at(arg) : arg));
    await expect(generateCommand([...named, '--bundle', bundle])).rejects.toMatchObject({
      code: 'bad-request',
      hint: expect.stringMatching(/another place with --(out|stats)/) as string,
    });
  });

  test('generate, where a folder has the name of a picture of a list', async () => {
    await mkdir(at('pictures/1.png'), { recursive: true });
    const args = ['--list', at('list.json'), '--out', at('pictures'), '--bundle', bundle];
    await expect(generateCommand(args)).rejects.toThrow(
      /1\.png cannot be written: there is a folder/,
    );
  });

  test.each([
    ['--out', 'file'],
    ['--run', 'file/run'],
    ['--run', 'folder.png'],
    ['--pictures', 'file/pictures'],
  ])('bench %s %s', async (option, path) => {
    const args = ['--quick', '--limit', '1', option, at(path), '--bundle', bundle];
    await expect(benchCommand(args)).rejects.toMatchObject({
      code: 'bad-request',
      hint: `Choose another place with ${option}.`,
    });
  });

  test('calibrate, whose results go into the manifest', async () => {
    const args = ['--bundle', bundle, '--prompts', at('list.json')];
    await expect(calibrateCommand([...args, '--run', at('folder.png')])).rejects.toThrow(
      /there is a folder of that name/,
    );
    await mkdir(join(bundle, 'manifest.json.part'));
    await expect(calibrateCommand([...args, '--run', at('run')])).rejects.toThrow(
      /manifest\.json cannot be written/,
    );
  });

  test('calibrate, whose list has a seed that is none', async () => {
    await writeFile(at('list.json'), '[{"prompt": "a fox", "seed": 1.5}]');
    const args = ['--bundle', bundle, '--prompts', at('list.json'), '--run', at('run')];
    await expect(calibrateCommand(args)).rejects.toThrow('The seed must be a whole number');
  });
});
