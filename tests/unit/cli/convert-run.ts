/** `hicache convert`, in this process or in one of its own, and the folders it reads and writes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import { convertCommand } from '../../../cli/commands/convert.ts';
import type { Files } from '../support/tiny-flux.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What it says on standard output. */
export async function converted(...args: string[]): Promise<string> {
  const said: string[] = [];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(`${line}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0),
    vi.spyOn(process.stderr, 'write').mockReturnValue(true),
  ];
  try {
    await convertCommand(args);
    return said.join('');
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The error that people see. */
export async function refused(...args: string[]): Promise<AppError> {
  const error = await converted(...args).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).hint).not.toBe('');
  return error as AppError;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
  /** In milliseconds, from the first word of progress to the end. */
  readonly converting: number;
}

/**
 * In a process of its own.
 * @param onBegun called when it first tells its progress
 */
export function hicacheConvert(
  args: readonly string[],
  onBegun: (child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const command = ['--import', 'tsx', 'cli/hicache.ts', 'convert', ...args];
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  let begun = Infinity;
  child.stderr.on('data', (text: Buffer) => {
    err += text.toString();
    if (begun < Infinity || !err.includes('%')) return;
    begun = performance.now();
    onBegun(child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, err, converting: performance.now() - begun });
    });
  });
}

export function filesIn(folder: string): Files {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path)]),
  );
}

/** The same files with the same bytes, but for those named. */
export function expectSameFiles(actual: Files, expected: Files, but: readonly string[] = []): void {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  const different = [...actual.keys()].filter(
    (path) => Buffer.compare(actual.get(path)!, expected.get(path)!) !== 0,
  );
  expect(different.sort()).toEqual([...but].sort());
}
