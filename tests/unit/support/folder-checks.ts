/**
 * What every writable folder must do, as plain functions: Vitest runs them on folders in memory and
 * on disk, a browser's worker on its real storage.
 */
import type { RepairableFolder } from '../../../src/bundle/folder.ts';

/** Opens the same folder again, empty at first. */
type Open = () => Promise<RepairableFolder>;

export const FOLDER_CHECKS: Readonly<Record<string, (open: Open) => Promise<void>>> = {
  async 'what is appended is there, in this folder and when it is opened again'(open) {
    const folder = await open();
    await folder.append('a/b/c.data', bytes(1, 2, 3));
    await folder.append('a/b/c.data', bytes());
    await folder.append('a/b/c.data', bytes(4));
    await expectContent(folder, 'a/b/c.data', bytes(1, 2, 3, 4));
    await folder.close();
    const again = await open();
    await expectContent(again, 'a/b/c.data', bytes(1, 2, 3, 4));
    await again.append('a/b/c.data', bytes(5));
    await expectContent(again, 'a/b/c.data', bytes(1, 2, 3, 4, 5));
    await again.close();
  },

  async 'calls that are not waited for happen in their order'(open) {
    const folder = await open();
    const calls = [1, 2, 3, 4, 5].map((value) => folder.append('a', bytes(value)));
    const size = folder.size('a');
    await folder.close();
    await Promise.all(calls);
    equal(await size, 5);
    const again = await open();
    await expectContent(again, 'a', bytes(1, 2, 3, 4, 5));
    await again.close();
  },

  async 'only the part that is asked for is read'(open) {
    const folder = await open();
    await folder.append('a', bytes(0, 1, 2, 3, 4));
    equal([...(await folder.read('a', 1, 3))].join(), '1,2,3');
    equal((await folder.read('a', 5, 0)).length, 0);
    await rejects(folder.read('a', 3, 3), 'not-found');
    await rejects(folder.read('a', 0, 2 ** 45), 'not-found');
    await rejects(folder.read('b', 0, 1), 'not-found');
    await folder.close();
  },

  async 'what is not there has no bytes, and asking does not create it'(open) {
    const folder = await open();
    equal(await folder.size('x/y'), 0);
    await folder.remove('x/y');
    await rejects(folder.truncate('x/y', 1), 'not-found');
    await rejects(folder.read('x/y', 0, 0), 'not-found');
    await folder.close();
  },

  async 'truncate cuts, creates an empty file, and does not lengthen'(open) {
    const folder = await open();
    await folder.append('a', bytes(1, 2, 3));
    await folder.truncate('a', 2);
    await folder.append('a', bytes(9));
    await expectContent(folder, 'a', bytes(1, 2, 9));
    await rejects(folder.truncate('a', 4), 'not-found');
    await folder.truncate('b/c', 0);
    equal((await folder.read('b/c', 0, 0)).length, 0);
    await folder.close();
  },

  async 'replace changes the middle and nothing else'(open) {
    const folder = await open();
    await folder.append('a', bytes(0, 1, 2, 3));
    await folder.replace('a', 1, bytes(7, 8));
    await folder.append('a', bytes(4));
    await expectContent(folder, 'a', bytes(0, 7, 8, 3, 4));
    await rejects(folder.replace('a', 4, bytes(1, 2)), 'not-found');
    await rejects(folder.replace('b', 0, bytes(1)), 'not-found');
    await folder.close();
  },

  async 'a file that is removed can be written anew'(open) {
    const folder = await open();
    await folder.append('a/b', bytes(1, 2));
    await folder.remove('a/b');
    equal(await folder.size('a/b'), 0);
    await folder.append('a/b', bytes(3));
    await expectContent(folder, 'a/b', bytes(3));
    await folder.close();
  },

  async 'many files, more than are kept open'(open) {
    const folder = await open();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 40; i++) await folder.append(`many/${i}`, bytes(i, round));
    }
    await folder.flush();
    for (let i = 0; i < 40; i++) await expectContent(folder, `many/${i}`, bytes(i, 0, i, 1));
    await folder.close();
  },

  async 'a file is no folder, and the files around it still work'(open) {
    const folder = await open();
    await folder.append('a', bytes(1));
    await rejects(folder.append('a/b', bytes(2)), 'bad-bundle', 'bad-request');
    await folder.append('a', bytes(3));
    await expectContent(folder, 'a', bytes(1, 3));
    await folder.close();
  },

  async 'no path leads out'(open) {
    const folder = await open();
    for (const path of BAD_PATHS) {
      await rejects(folder.append(path, bytes(1)), 'bad-bundle');
      await rejects(folder.truncate(path, 0), 'bad-bundle');
      await rejects(folder.read(path, 0, 1), 'bad-bundle');
      await rejects(folder.size(path), 'bad-bundle');
      await rejects(folder.remove(path), 'bad-bundle');
      await rejects(folder.replace(path, 0, bytes(1)), 'bad-bundle');
    }
    await folder.close();
  },
};

export const BAD_PATHS: readonly string[] = [
  '',
  '.',
  '..',
  '../a',
  'a/..',
  'a/../../b',
  'a/./b',
  '/a',
  'a/',
  'a//b',
  'a\\b',
  '..\\b',
  'C:',
  'a:b',
  'a\0',
  'a b',
  '.hidden',
  'a.',
  '%2e%2e/a',
  'a'.repeat(301),
];

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);

async function expectContent(
  folder: RepairableFolder,
  path: string,
  content: Uint8Array,
): Promise<void> {
  equal(await folder.size(path), content.length);
  equal([...(await folder.read(path, 0, content.length))].join(), content.join());
}

function equal<T>(actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${String(actual)} is not ${String(expected)}`);
}

async function rejects(work: Promise<unknown>, ...codes: string[]): Promise<void> {
  const error = await work.then(
    () => new Error('nothing was thrown'),
    (cause: unknown) => cause as Error & { code?: string },
  );
  if (!('code' in error) || !codes.includes(String(error.code))) throw error;
}
