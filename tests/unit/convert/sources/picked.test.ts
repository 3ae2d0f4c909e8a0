import { expect, test } from 'vitest';
import { pickedFiles, pickedFolder } from '../../../../src/convert/sources/picked.ts';

const BYTES = Uint8Array.of(1, 2, 3, 4, 5);

function file(name: string, path = ''): File {
  const made = new File([BYTES], name);
  Object.defineProperty(made, 'webkitRelativePath', { value: path });
  return made;
}

test('files of a picked folder have their paths in it', async () => {
  const source = pickedFiles([file('a.json', 'flux/vae/a.json'), file('b', 'flux/b')]);
  expect(source.name).toBe('flux');
  expect(await source.list()).toEqual(['b', 'vae/a.json']);
  expect(await source.has('flux/b')).toBe(false);
  expect(await source.size('vae/a.json')).toBe(5);
  expect(await source.read('vae/a.json', 1, 3)).toEqual(Uint8Array.of(2, 3, 4));
  await expect(source.read('b', 3, 3)).rejects.toMatchObject({ code: 'bad-checkpoint' });
  await expect(source.size('c')).rejects.toMatchObject({ code: 'not-found' });
});

test('files from several places keep all of their paths', async () => {
  expect(await pickedFiles([file('a', 'x/a'), file('b', 'y/b')]).list()).toEqual(['x/a', 'y/b']);
  const single = pickedFiles([file('flux.safetensors')]);
  expect(single.name).toBe('flux.safetensors');
  expect(await single.list()).toEqual(['flux.safetensors']);
  expect(await pickedFiles([]).list()).toEqual([]);
  expect(() => pickedFiles([file('a'), file('a')])).toThrow('two files a');
});

test('a file that changed since it was picked is said to be gone', async () => {
  const gone = file('a');
  gone.slice = () => {
    const part = new Blob();
    part.arrayBuffer = () => Promise.reject(new DOMException('changed', 'NotReadableError'));
    return part;
  };
  await expect(pickedFiles([gone]).read('a', 0, 1)).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('Pick it again') as string,
  });
});

/** As much of a FileSystemDirectoryHandle as is asked for. */
function folder(name: string, entries: Record<string, File | object>): FileSystemDirectoryHandle {
  const handles = Object.entries(entries).map(([key, entry]) => {
    const handle =
      entry instanceof File
        ? { kind: 'file', name: key, getFile: () => Promise.resolve(entry) }
        : folder(key, entry as Record<string, File | object>);
    return [key, handle];
  });
  const iterate = async function* (): AsyncGenerator<unknown> {
    for (const entry of handles) yield await Promise.resolve(entry);
  };
  return { kind: 'directory', name, entries: iterate } as unknown as FileSystemDirectoryHandle;
}

test('a folder is looked into to its depth', async () => {
  const source = await pickedFolder(
    folder('flux', { vae: { deep: { 'a.json': file('a.json') } }, 'b.md': file('b.md') }),
  );
  expect(source.name).toBe('flux');
  expect(await source.list()).toEqual(['b.md', 'vae/deep/a.json']);
  expect(await source.read('vae/deep/a.json', 4, 1)).toEqual(Uint8Array.of(5));
});
