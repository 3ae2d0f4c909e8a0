import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderSource } from '../../../tools/folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hicache-folder-'));
  await mkdir(join(folder, 'vae/deep'), { recursive: true });
  await writeFile(join(folder, 'a.safetensors'), 'abcdef');
  await writeFile(join(folder, 'vae/deep/b.json'), '{}');
});
afterEach(() => rm(folder, { recursive: true }));

test('a folder lists its files to its depth, and gives parts of them', async () => {
  const source = new FolderSource(folder);
  expect(source.name).toBe(basename(folder));
  expect(await source.list()).toEqual(['a.safetensors', 'vae/deep/b.json']);
  expect(await source.has('vae/deep')).toBe(false);
  expect(await source.size('a.safetensors')).toBe(6);
  expect(new TextDecoder().decode(await source.read('a.safetensors', 2, 3))).toBe('cde');
  await expect(source.read('a.safetensors', 4, 3)).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: expect.stringContaining('ends before byte 7') as string,
  });
  await expect(source.size('none')).rejects.toMatchObject({ code: 'not-found' });
  await expect(source.read('none', 0, 1)).rejects.toMatchObject({ code: 'not-found' });
});

test('a single file is the only one', async () => {
  const source = new FolderSource(join(folder, 'a.safetensors'));
  expect(source.name).toBe('a.safetensors');
  expect(await source.list()).toEqual(['a.safetensors']);
  expect(await source.size('a.safetensors')).toBe(6);
});

test('a folder that is not there says so when it is listed', async () => {
  await expect(new FolderSource(join(folder, 'none')).list()).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('none does not exist') as string,
  });
});
