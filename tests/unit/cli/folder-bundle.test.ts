import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBundleFolder } from '../../../src/node/folder-bundle.ts';
import { testBundleFiles, type TestFiles } from '../support/bundle-folder.ts';

let folder: string;
let made: TestFiles;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  made = testBundleFiles();
  for (const [path, bytes] of made.files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
});

afterEach(() => rm(folder, { recursive: true }));

test('reads what the manifest lists', async () => {
  const bundle = await openBundleFolder(folder);
  for (const path of Object.keys(made.manifest.files)) {
    expect(await bundle.read(path)).toEqual(made.files.get(path));
    const blob = await bundle.blob(path);
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(made.files.get(path));
  }
});

test('names the file that is missing', async () => {
  await rm(join(folder, 'head.data'));
  const bundle = await openBundleFolder(folder);
  for (const work of [() => bundle.read('head.data'), () => bundle.blob('head.data')]) {
    await expect(work()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/no file .*head\.data/) as string,
    });
  }
});

test('names the file that is cut short', async () => {
  await truncate(join(folder, 'head.data'), 10);
  const bundle = await openBundleFolder(folder);
  await expect(bundle.read('head.data')).rejects.toMatchObject({
    code: 'bad-bundle',
    message: expect.stringMatching(/head\.data is cut short.* 10 bytes/) as string,
  });
});

test('refuses what the manifest does not list', async () => {
  const bundle = await openBundleFolder(folder);
  await expect(bundle.read('../secret')).rejects.toMatchObject({ code: 'bad-bundle' });
});

test.each(['', 'nothing-here'])('the folder "%s" without a manifest', async (name) => {
  await rm(join(folder, 'manifest.json'));
  await expect(openBundleFolder(join(folder, name))).rejects.toMatchObject({ code: 'not-found' });
});
