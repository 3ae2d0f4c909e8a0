/** Files and folders that people choose or drop, as the worker takes them. */
import { AppError } from '../../shared/errors.ts';
import type { PickedSource } from './state.ts';

/** What browsers call a dropped thing; the DOM's types do not know the first method yet. */
export interface DroppedItem {
  readonly kind: string;
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
  webkitGetAsEntry(): FileSystemEntry | null;
}

type Dropped =
  | { readonly by: 'handle'; readonly handle: Promise<FileSystemHandle | null> }
  | { readonly by: 'entry'; readonly entry: FileSystemEntry | null };

/**
 * Call it in the drop event itself, before anything is awaited: items are gone after it.
 * @throws AppError `bad-request` if nothing of it is a file or a folder, or cannot be read.
 */
export async function droppedSource(items: Iterable<DroppedItem>): Promise<PickedSource> {
  const dropped = [...items]
    .filter(({ kind }) => kind === 'file')
    .map((item): Dropped =>
      item.getAsFileSystemHandle
        ? { by: 'handle', handle: item.getAsFileSystemHandle() }
        : { by: 'entry', entry: item.webkitGetAsEntry() },
    );
  try {
    return await sourceOf(dropped);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const hint = 'Drop it again, or choose it with the buttons.';
    throw new AppError('not-found', 'What was dropped cannot be read.', hint, { cause });
  }
}

async function sourceOf(dropped: readonly Dropped[]): Promise<PickedSource> {
  const files: File[] = [];
  for (const one of dropped) {
    if (one.by === 'entry') {
      if (one.entry) await addEntry(one.entry, files);
      continue;
    }
    const handle = await one.handle;
    if (handle && isFolder(handle)) {
      if (dropped.length === 1) return { kind: 'folder', folder: handle };
      await addFolder(handle, handle.name, files);
    } else if (handle) files.push(await (handle as FileSystemFileHandle).getFile());
  }
  return allOf(files);
}

/** From an `<input type="file">`. @throws AppError `bad-request` if there are none. */
export function filesSource(chosen: readonly File[]): PickedSource {
  return allOf(chosen.map((file) => named(file, file.webkitRelativePath)));
}

function allOf(files: readonly File[]): PickedSource {
  if (files.length > 0) return { kind: 'files', files };
  throw new AppError(
    'bad-request',
    'There are no files in it.',
    'Choose the files of a model or the folder that holds them.',
  );
}

/** With its path as its name: not every browser sends `webkitRelativePath` on to a worker. */
function named(file: File, path: string): File {
  if (path === '' || path === file.name) return file;
  return new File([file], path, { type: file.type, lastModified: file.lastModified });
}

const isFolder = (handle: FileSystemHandle): handle is FileSystemDirectoryHandle =>
  handle.kind === 'directory';

async function addFolder(
  folder: FileSystemDirectoryHandle,
  path: string,
  files: File[],
): Promise<void> {
  for await (const [name, handle] of folder.entries()) {
    if (isFolder(handle)) await addFolder(handle, `${path}/${name}`, files);
    else files.push(named(await (handle as FileSystemFileHandle).getFile(), `${path}/${name}`));
  }
}

async function addEntry(entry: FileSystemEntry, files: File[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    files.push(named(file, entry.fullPath.replace(/^\//, '')));
    return;
  }
  for (const child of await childrenOf(entry as FileSystemDirectoryEntry)) {
    await addEntry(child, files);
  }
}

/** A reader gives some at a time, a hundred in Chromium, and an empty list at the end. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Where the browser has a picker for folders; the DOM's types do not know it yet. */
type WithPicker = typeof globalThis & {
  showDirectoryPicker?(options: { id: string; mode: 'read' }): Promise<FileSystemDirectoryHandle>;
};

/**
 * A folder, read where it lies. `unknown` where the browser has no such picker, undefined if
 * nobody chose one.
 */
export async function chooseFolder(): Promise<PickedSource | 'unknown' | undefined> {
  const page = globalThis as WithPicker;
  if (!page.showDirectoryPicker) return 'unknown';
  try {
    const folder = await page.showDirectoryPicker({ id: 'model', mode: 'read' });
    return { kind: 'folder', folder };
  } catch (error) {
    return error instanceof DOMException && error.name === 'AbortError' ? undefined : 'unknown';
  }
}
