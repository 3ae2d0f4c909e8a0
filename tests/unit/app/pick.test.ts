import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DroppedItem, droppedSource, filesSource } from '../../../src/app/models/pick.ts';

/** A folder by its names; a file is its text. */
interface Tree {
  readonly [name: string]: Tree | string;
}

const pathsOf = (tree: Tree, before: string): string[] =>
  Object.entries(tree).flatMap(([name, item]) =>
    typeof item === 'string' ? `${before}${name}` : pathsOf(item, `${before}${name}/`),
  );

/** A picked file, which knows its path as browsers tell it. */
function picked(name: string, text: string, path = ''): File {
  return Object.defineProperty(new File([text], name, { lastModified: 5 }), 'webkitRelativePath', {
    value: path,
  });
}

function handleOf(name: string, item: Tree | string): FileSystemHandle {
  const handle =
    typeof item === 'string'
      ? { kind: 'file', name, getFile: async () => picked(name, item) }
      : {
          kind: 'directory',
          name,
          async *entries() {
            for (const [child, each] of Object.entries(item)) yield [child, handleOf(child, each)];
          },
        };
  return handle as unknown as FileSystemHandle;
}

/** Hands its children out two at a time, as browsers do with a hundred. */
function entryOf(name: string, item: Tree | string, before = '/'): FileSystemEntry {
  const fullPath = before + name;
  if (typeof item === 'string') {
    const file = (done: (file: File) => void) => done(picked(name, item));
    return { isFile: true, name, fullPath, file } as unknown as FileSystemEntry;
  }
  const createReader = () => {
    const left = Object.entries(item);
    return {
      readEntries: (done: (entries: FileSystemEntry[]) => void) =>
        done(left.splice(0, 2).map(([child, each]) => entryOf(child, each, `${fullPath}/`))),
    };
  };
  return { isFile: false, name, fullPath, createReader } as unknown as FileSystemEntry;
}

const byHandle = (name: string, item: Tree | string): DroppedItem => ({
  kind: 'file',
  getAsFileSystemHandle: async () => handleOf(name, item),
  webkitGetAsEntry: () => null,
});

const byEntry = (name: string, item: Tree | string): DroppedItem => ({
  kind: 'file',
  webkitGetAsEntry: () => entryOf(name, item),
});

async function droppedPaths(items: readonly DroppedItem[]): Promise<string[]> {
  const source = await droppedSource(items);
  if (source.kind !== 'files') throw new Error('A folder was given in place of its files.');
  return source.files.map(({ name }) => name).sort();
}

const tree = fc.letrec<{ tree: Tree; item: Tree | string }>((tie) => ({
  item: fc.oneof({ maxDepth: 3 }, fc.string(), tie('tree')),
  tree: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_.]{0,5}$/), tie('item'), {
    maxKeys: 5,
    noNullPrototype: true,
  }),
})).tree;

describe('what is dropped', () => {
  test('gives the files of all folders with their paths, in whatever way the browser tells them', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (folder) => {
        const items = { 'flux.safetensors': 'weights', model: folder };
        const expected = ['flux.safetensors', ...pathsOf(folder, 'model/')].sort();
        for (const drop of [byHandle, byEntry]) {
          const dropped = Object.entries(items).map(([name, item]) => drop(name, item));
          expect(await droppedPaths(dropped)).toEqual(expected);
        }
      }),
    );
  });

  test('keeps what is in the files, and when they were changed', async () => {
    const source = await droppedSource([byEntry('model', { 'config.json': '{}' })]);
    const [file] = source.kind === 'files' ? source.files : [];
    expect(file!.name).toBe('model/config.json');
    expect(file!.lastModified).toBe(5);
    expect(await file!.text()).toBe('{}');
  });

  test('is read where it lies if it is one folder that the browser can hand on', async () => {
    const source = await droppedSource([byHandle('model', { 'config.json': '{}' })]);
    expect(source).toMatchObject({ kind: 'folder', folder: { name: 'model' } });
  });

  test('is refused if it is no file', async () => {
    const text = { kind: 'string', webkitGetAsEntry: () => null };
    await expect(droppedSource([text])).rejects.toMatchObject({ code: 'bad-request' });
    await expect(droppedSource([byEntry('empty', {})])).rejects.toMatchObject({
      code: 'bad-request',
    });
  });

  test('that cannot be read is said to be so', async () => {
    const broken: DroppedItem = {
      kind: 'file',
      getAsFileSystemHandle: () => Promise.reject(new DOMException('', 'NotAllowedError')),
      webkitGetAsEntry: () => null,
    };
    await expect(droppedSource([broken])).rejects.toMatchObject({
      code: 'not-found',
      message: 'What was dropped cannot be read.',
    });
  });
});

test('chosen files carry their paths in their names', () => {
  const files = [picked('config.json', '{}', 'model/vae/config.json'), picked('a.txt', '')];
  const source = filesSource(files);
  expect(source.kind === 'files' && source.files.map(({ name }) => name)).toEqual([
    'model/vae/config.json',
    'a.txt',
  ]);
  expect(() => filesSource([])).toThrow(/no files/);
});
