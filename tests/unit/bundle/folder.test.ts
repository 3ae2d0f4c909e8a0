import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { namesOf } from '../../../src/bundle/folder.ts';
import { opfsFolder } from '../../../src/bundle/store/opfs-folder.ts';
import { diskFolder } from '../../../src/node/disk-folder.ts';
import { FOLDER_CHECKS } from '../support/folder-checks.ts';
import { MemoryStorage } from '../support/opfs.ts';

let storage: MemoryStorage;
let disk: string;
beforeEach(async () => {
  storage = new MemoryStorage();
  disk = await mkdtemp(join(tmpdir(), 'folder-'));
});
afterEach(() => rm(disk, { recursive: true }));

const open = () => opfsFolder(storage.root);

describe.each([
  ['in memory', () => open()],
  ['on disk', () => diskFolder(join(disk, 'model'))],
])('a folder %s', (_, opened) => {
  test.each(Object.entries(FOLDER_CHECKS))('%s', async (_, check) => {
    await check(() => Promise.resolve(opened()));
    expect(storage.openHandles.size).toBe(0);
  });
});

test('a disk folder is made when something is written into it', async () => {
  const folder = diskFolder(join(disk, 'model'));
  expect(await folder.size('a')).toBe(0);
  expect(await readdir(disk)).toEqual([]);
  await folder.append('a', new Uint8Array(1));
  await folder.close();
  expect(await readdir(join(disk, 'model'))).toEqual(['a']);
});

test('a disk that refuses to write says why', async () => {
  await writeFile(join(disk, 'model'), 'a file in the place of the folder');
  const folder = diskFolder(join(disk, 'model'));
  await expect(folder.append('a', new Uint8Array(1))).rejects.toMatchObject({
    code: 'bad-request',
    message: expect.stringMatching(/model.*(EEXIST|ENOTDIR)/) as string,
  });
});

describe('the browser’s storage', () => {
  test.each(['throws' as const, 'writes less' as const, 'gives a code' as const])(
    'that is full and %s: nothing is written',
    async (whenFull) => {
      storage.quota = 1500;
      storage.whenFull = whenFull;
      const folder = open();
      await folder.append('a', new Uint8Array(1000));
      await expect(folder.append('a', new Uint8Array(600))).rejects.toMatchObject({
        code: 'out-of-storage',
        message: 'There is no room for 1 kB more of a.',
      });
      expect(storage.openHandles.size).toBe(0);
      expect(await folder.size('a')).toBe(1000);
      await folder.append('a', new Uint8Array(500));
      expect(await folder.size('a')).toBe(1500);
      await folder.close();
    },
  );

  test('a file that another tab writes', async () => {
    const theirs = open();
    await theirs.append('a', new Uint8Array(1));
    const mine = open();
    await expect(mine.append('a', new Uint8Array(1))).rejects.toMatchObject({ code: 'busy' });
    await expect(mine.remove('a')).rejects.toMatchObject({ code: 'busy' });
    await mine.append('b', new Uint8Array(1));
    await mine.close();
    await theirs.close();
    await mine.append('a', new Uint8Array(1));
    await mine.close();
  });

  test('a crash loses what was not flushed, and only that', async () => {
    const folder = open();
    await folder.append('a', new Uint8Array(10));
    await folder.append('b', new Uint8Array(20));
    await folder.flush();
    await folder.append('a', new Uint8Array(5));
    storage.crash();
    const again = open();
    expect([await again.size('a'), await again.size('b')]).toEqual([10, 20]);
  });

  test('what is put away to open other files is flushed', async () => {
    const folder = open();
    await folder.append('first', new Uint8Array(10));
    for (let i = 0; i < 20; i++) await folder.append(`then/${i}`, new Uint8Array(1));
    await folder.flush();
    storage.crash();
    expect(await open().size('first')).toBe(10);
  });

  test('a folder that is removed meanwhile', async () => {
    const model = await storage.root.getDirectoryHandle('model', { create: true });
    const folder = opfsFolder(model);
    await folder.append('a', new Uint8Array(1));
    storage.crash();
    await expect(folder.append('a', new Uint8Array(1))).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});

test('paths stay inside whatever they are', () => {
  const piece = fc.constantFrom('..', '.', '', 'a', 'a.b', '\\', ':', '%2e', '\0', '~', ' ', '_');
  const path = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.stringMatching(/^[a-z._]{1,5}$/), { minLength: 1 }).map((names) => names.join('/')),
    fc.array(fc.tuple(piece, fc.constantFrom('/', '', '\\'))).map((all) => all.flat().join('')),
  );
  let accepted = 0;
  fc.assert(
    fc.property(path, (given) => {
      let names: string[];
      try {
        names = namesOf(given);
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad-bundle' });
        return;
      }
      accepted++;
      expect(names.join('/')).toBe(given);
      expect(join('/root', ...names)).toBe(`/root/${given}`);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(50);
});
