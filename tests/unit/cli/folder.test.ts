import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderSource } from '../../../src/node/source-folder.ts';

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

test('links to files and folders are followed, also one to another', async () => {
  await mkdir(join(folder, 'blobs'));
  await writeFile(join(folder, 'blobs/0123'), 'weights');
  await mkdir(join(folder, 'snapshot'));
  await symlink('../blobs/0123', join(folder, 'snapshot/model.safetensors'));
  await symlink('../vae', join(folder, 'snapshot/vae'));
  await symlink('vae', join(folder, 'snapshot/vae_preview'));
  const expected = ['model.safetensors', 'vae/deep/b.json', 'vae_preview/deep/b.json'];
  await symlink('snapshot', join(folder, 'current'));
  for (const name of ['snapshot', 'current']) {
    const source = new FolderSource(join(folder, name));
    expect(await source.list()).toEqual(expected);
    expect(await source.size('vae_preview/deep/b.json')).toBe(2);
    expect(new TextDecoder().decode(await source.read('model.safetensors', 0, 7))).toBe('weights');
  }
});

test('links that lead around or nowhere end', async () => {
  await symlink('..', join(folder, 'vae/up'));
  await symlink('.', join(folder, 'vae/here'));
  await symlink('gone', join(folder, 'dangling.safetensors'));
  await symlink('itself.safetensors', join(folder, 'itself.safetensors'));
  const source = new FolderSource(folder);
  const dangling = ['dangling.safetensors', 'itself.safetensors'];
  expect(await source.list()).toEqual(['a.safetensors', ...dangling, 'vae/deep/b.json']);
  for (const path of dangling) {
    expect(await source.has(path)).toBe(false);
    const error = {
      code: 'not-found',
      message: `${join(folder, path)} is a link that leads nowhere.`,
    };
    await expect(source.size(path)).rejects.toMatchObject(error);
    await expect(source.read(path, 0, 1)).rejects.toMatchObject(error);
  }
});
