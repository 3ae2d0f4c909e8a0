/** Result files: the figures of one bench, which tables and plots are made of. */
import { readdir, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import type { BackendInfo } from '../../src/runtime/backend.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { Header } from './file.ts';
import type { MethodResult } from './summary.ts';
import type { CallFlops } from '../lib/flops.ts';
import { writeOutput } from '../lib/outputs.ts';

export interface BenchResults {
  readonly format: 'hicache-bench-results';
  readonly version: 1;
  readonly model: { readonly title: string; readonly manifest: string };
  readonly program: string;
  /** In words. */
  readonly machine: string;
  readonly backend: Pick<BackendInfo, 'kind' | 'adapter' | 'precision'>;
  readonly steps: number;
  readonly shift: Header['shift'];
  readonly size: { readonly width: number; readonly height: number };
  readonly budgets: readonly number[];
  readonly prompts: {
    readonly count: number;
    readonly list: string;
    /** Indices of prompts that are longer than the model reads; absent in older files. */
    readonly cut?: readonly number[];
  };
  /** Operations of one call. */
  readonly flops: CallFlops;
  /** The full run first. */
  readonly methods: readonly MethodResult[];
}

const PATTERN = /^results-.*\.json$/;

/** Without ending; plots and result files of one bench share it. */
export function nameOf({
  steps,
  shift,
  backend,
}: Pick<BenchResults, 'steps' | 'shift'> & {
  readonly backend: Pick<BackendInfo, 'kind'>;
}): string {
  return `${steps}-shift${shift}${backend.kind === 'cpu' ? '' : `-${backend.kind}`}`;
}

export function machineInWords(): string {
  const [first] = cpus();
  const model = first?.model.trim() ?? 'unknown processor';
  return `${cpus().length} x ${model}, ${process.platform} ${process.arch}, Node.js ${process.versions.node}`;
}

export function resultsPath(folder: string, results: Parameters<typeof nameOf>[0]): string {
  return join(folder, `results-${nameOf(results)}.json`);
}

/** @throws AppError `bad-request` if the folder cannot be written to. */
export async function writeResults(folder: string, results: BenchResults): Promise<string> {
  const path = resultsPath(folder, results);
  await writeText(path, JSON.stringify(results));
  return path;
}

/**
 * All result files of a folder, by steps, shift and backend.
 * @throws AppError `not-found` if there is none, `bad-request` if one is something else.
 */
export async function readResults(folder: string): Promise<BenchResults[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException): string[] => {
    if (cause.code === 'ENOENT') return [];
    const hint = 'Name another folder with --out.';
    throw new AppError('not-found', `${folder} cannot be read (${cause.code}).`, hint, { cause });
  });
  const all: BenchResults[] = [];
  for (const name of names.filter((one) => PATTERN.test(one))) {
    all.push(parse(await readFile(join(folder, name), 'utf8'), join(folder, name)));
  }
  if (all.length === 0) {
    throw new AppError(
      'not-found',
      `There are no results in ${folder}.`,
      'Run `hicache bench` first, or name another folder with --out.',
    );
  }
  return all.toSorted(
    (a, b) =>
      b.steps - a.steps ||
      String(a.shift).localeCompare(String(b.shift), 'en', { numeric: true }) ||
      a.backend.kind.localeCompare(b.backend.kind),
  );
}

/** Writes a file, JSON and Markdown in the project's format. */
export async function writeText(path: string, text: string): Promise<void> {
  const parser = path.endsWith('.json') ? 'json' : path.endsWith('.md') ? 'markdown' : undefined;
  const done = parser ? await format(text, { ...(await resolveConfig(path)), parser }) : text;
  await writeOutput({ path, option: '--out' }, done);
}

function parse(text: string, path: string): BenchResults {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = null;
  }
  const found = json as Partial<BenchResults> | null;
  if (found?.format === 'hicache-bench-results' && found.version === 1) return json as BenchResults;
  throw new AppError(
    'bad-request',
    `${path} is no result file of this version of bench.`,
    'Delete it and run that bench again.',
  );
}
