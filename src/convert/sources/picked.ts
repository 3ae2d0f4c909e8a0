/** Files that a user picked or dropped, read where they lie. */
import { AppError } from '../../shared/errors.ts';
import { endsBefore, type Source } from '../files.ts';

/**
 * From an `<input type="file">`, with `multiple` or `webkitdirectory`, or a drop. Paths lack the
 * picked folder's own name.
 *
 * @throws AppError `bad-request` if two of the files have the same path.
 */
export function pickedFiles(files: readonly File[]): Source {
  const paths = files.map((file) => file.webkitRelativePath || file.name);
  const top = sharedFolder(paths);
  const opened = new Map<string, () => Promise<File>>();
  for (const [i, file] of files.entries()) {
    const path = top === undefined ? paths[i]! : paths[i]!.slice(top.length + 1);
    if (opened.has(path)) {
      throw new AppError(
        'bad-request',
        `There are two files ${path}.`,
        'Pick the files of one model, or the folder that holds it.',
      );
    }
    opened.set(path, () => Promise.resolve(file));
  }
  return new PickedFiles(top ?? (files.length === 1 ? files[0]!.name : undefined), opened);
}

/** From a directory picker, or a dropped folder. All of its folders are looked into. */
export async function pickedFolder(folder: FileSystemDirectoryHandle): Promise<Source> {
  const opened = new Map<string, () => Promise<File>>();
  for await (const [path, handle] of filesIn(folder)) opened.set(path, () => handle.getFile());
  return new PickedFiles(folder.name, opened);
}

async function* filesIn(
  folder: FileSystemDirectoryHandle,
  before = '',
): AsyncGenerator<[path: string, handle: FileSystemFileHandle]> {
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind === 'directory') yield* filesIn(handle, `${before}${name}/`);
    else yield [before + name, handle];
  }
}

function sharedFolder(paths: readonly string[]): string | undefined {
  const [top] = paths[0]?.split('/') ?? [];
  return paths.every((path) => path.startsWith(`${top}/`)) ? top : undefined;
}

class PickedFiles implements Source {
  readonly name?: string;

  constructor(
    name: string | undefined,
    private readonly files: ReadonlyMap<string, () => Promise<File>>,
  ) {
    if (name !== undefined) this.name = name;
  }

  async list(): Promise<readonly string[]> {
    return Promise.resolve([...this.files.keys()].sort());
  }

  async has(path: string): Promise<boolean> {
    return Promise.resolve(this.files.has(path));
  }

  async size(path: string): Promise<number> {
    return (await this.file(path)).size;
  }

  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const file = await this.file(path);
    const end = offset + length;
    if (end > file.size) endsBefore(path, end);
    try {
      return new Uint8Array(await file.slice(offset, end).arrayBuffer());
    } catch (cause) {
      throw gone(path, cause);
    }
  }

  private async file(path: string): Promise<File> {
    const open = this.files.get(path);
    if (!open) {
      throw new AppError('not-found', `${path} is not among the files.`, 'Pick it as well.');
    }
    try {
      return await open();
    } catch (cause) {
      throw gone(path, cause);
    }
  }
}

/** Browsers read files when they are asked to, not when they are picked. */
function gone(path: string, cause: unknown): AppError {
  return new AppError(
    'not-found',
    `${path} can no longer be read.`,
    'It was moved or changed after it was picked. Pick it again.',
    { cause },
  );
}
