/**
 * Files that a command writes at its end. They are checked before anything heavy, so that hours of
 * work do not end at a path that cannot be written.
 */
import { constants } from 'node:fs';
import { access, mkdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../../src/shared/errors.ts';

export interface Output {
  readonly path: string;
  /** What names it on the command line, for the hint. */
  readonly option: string;
}

/**
 * Tries whether all these files can be written, and leaves nothing behind: missing folders are made
 * again with the file.
 *
 * @throws AppError `bad-request` that names the first one that cannot be, and why.
 */
export async function checkOutputs(outputs: readonly Output[]): Promise<void> {
  const byPath = new Map<string, Output>();
  for (const output of outputs) {
    checkName(output);
    const path = resolve(output.path);
    const same = byPath.get(path);
    if (same) throw collision(output, same, 'the same file');
    byPath.set(path, output);
  }
  for (const [path, output] of byPath) {
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
      const file = byPath.get(folder);
      if (file) throw collision(output, file, 'a file and a folder of the same name');
    }
  }
  for (const output of byPath.values()) await checkFile(output);
}

/** The same for a folder that several files will go into. */
export async function checkOutputFolder({ path, option }: Output): Promise<void> {
  checkName({ path, option });
  await tryFile(join(path, `.hicache-${process.pid}`), { path, option });
}

/**
 * Writes a file, whose folders are made. It has its name only once it is whole; a link stays one.
 *
 * @throws AppError `bad-request`, or `out-of-storage` if the disk is full.
 */
export async function writeOutput(output: Output, content: Uint8Array | string): Promise<void> {
  try {
    await mkdir(dirname(output.path), { recursive: true });
    const target = await realpath(output.path).catch(unless(['ENOENT'], () => output.path));
    const part = partOf(target);
    try {
      await writeFile(part, content);
      await rename(part, target);
    } catch (error) {
      // What is reported is why it failed, not what keeps the rest of it from being removed.
      await rm(part, { force: true }).catch(() => undefined);
      throw error;
    }
  } catch (cause) {
    throw await explainOutput(cause, output);
  }
}

/** The failure of a file operation on an output as an error for people; others stay as they are. */
export async function explainOutput(cause: unknown, { path, option }: Output): Promise<unknown> {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new AppError(
    full ? 'out-of-storage' : 'bad-request',
    `${path} cannot be written: ${(await reasonFor(code, path)) ?? code}.`,
    full ? `Free some space, or choose${another(option)}` : `Choose${another(option)}`,
    { cause },
  );
}

function checkName({ path, option }: Output): void {
  if (path.trim() !== '') return;
  throw new AppError('bad-request', `${option} has no name.`, `Give a path after ${option}.`);
}

async function checkFile(output: Output): Promise<void> {
  const { path, option } = output;
  if (/[/\\]$/.test(path)) throw unusable(path, 'that is the name of a folder', option);
  const found = await stat(path).catch(
    unless(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'], () => undefined),
  );
  if (found?.isDirectory()) throw unusable(path, 'there is a folder of that name', option);
  if (found && !found.isFile()) throw unusable(path, 'it is not a regular file', option);
  if (found) {
    await access(path, constants.W_OK).catch(() => {
      throw unusable(path, 'the file that is there is write-protected', option);
    });
  }
  await tryFile(partOf(path), output);
}

/** Writes an empty file, and takes it and the folders that it needed away again. */
async function tryFile(file: string, output: Output): Promise<void> {
  const folder = resolve(dirname(file));
  const existing = await nearest(folder);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, '');
    await rm(file);
  } catch (cause) {
    throw await explainOutput(cause, output);
  } finally {
    await removeEmpty(folder, existing);
  }
}

/** Folders that could not be made are not there; one that somebody else has used meanwhile stays. */
async function removeEmpty(innermost: string, existing: string): Promise<void> {
  const stays = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ENOTEMPTY', 'EEXIST'];
  for (let folder = innermost; folder !== existing; folder = dirname(folder)) {
    await rmdir(folder).catch(unless(stays, () => undefined));
  }
}

/** The path itself or the innermost folder around it that exists, or the file in its place. */
async function nearest(path: string): Promise<string> {
  const found = await stat(path).catch(
    unless(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'], () => undefined),
  );
  return found || path === dirname(path) ? path : nearest(dirname(path));
}

function partOf(path: string): string {
  return `${path}.part`;
}

async function reasonFor(code: string, path: string): Promise<string | undefined> {
  switch (code) {
    case 'ENOTDIR':
    case 'EEXIST':
      return `${await nearest(resolve(path))} is a file, not a folder`;
    case 'EISDIR':
      return `there is a folder of the name ${path} or ${partOf(path)}`;
    case 'EACCES':
    case 'EPERM':
      return 'you may not write there';
    case 'EROFS':
      return 'that file system is read-only';
    case 'ENAMETOOLONG':
      return 'the name is too long';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full';
    default:
      return undefined;
  }
}

/** For `catch`: what to go on with after these codes; any other failure goes on. */
function unless<T>(codes: readonly string[], result: () => T): (cause: unknown) => T {
  return (cause) => {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== undefined && codes.includes(code)) return result();
    throw cause;
  };
}

function unusable(path: string, reason: string, option: string): AppError {
  return new AppError(
    'bad-request',
    `${path} cannot be written: ${reason}.`,
    `Choose${another(option)}`,
  );
}

function collision(one: Output, other: Output, what: string): AppError {
  return new AppError(
    'bad-request',
    `${one.option} ${one.path} and ${other.option} ${other.path} are ${what}.`,
    `Choose${another(one.option)}`,
  );
}

function another(option: string): string {
  return ` another place with ${option}.`;
}
