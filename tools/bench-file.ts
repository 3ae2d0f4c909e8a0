/**
 * The run file: a header line that says what is measured, and a line for every picture that is
 * done, so that a bench that was stopped goes on where it was.
 */
import { appendFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../src/errors.ts';
import type { Calls } from './flops.ts';

/** What all lines of a run file have in common. */
export interface Header {
  readonly format: 'hicache-bench';
  readonly version: 1;
  /** Version of this program. */
  readonly program: string;
  /** SHA-256 of the bundle's manifest, which has those of all its files. */
  readonly model: string;
  readonly backend: string;
  readonly precision: string;
  readonly steps: number;
  /** Timestep shift; `dynamic` where it depends on the picture's size. */
  readonly shift: number | 'dynamic';
  readonly width: number;
  readonly height: number;
  /** SHA-256 of the whole list of prompts and seeds. */
  readonly prompts: string;
}

interface Seconds {
  readonly total: number;
  /** Without text encoders and decoder: transformer, forecasts, head, and all that decides on them. */
  readonly denoise: number;
}

/** One picture by one method, compared with the full run's. */
export interface Line {
  /** Place in the list of prompts, from 0. */
  readonly case: number;
  readonly method: string;
  /** Digest of the method's settings. */
  readonly settings: string;
  /** Steps that ran the transformer. */
  readonly computed: number;
  readonly calls: Calls;
  readonly seconds: Seconds;
  /** The full run's, made shortly before. */
  readonly fullSeconds: Seconds;
  /** Median forecast step over median compute step; null without forecasts. */
  readonly forecastCost: number | null;
  /** In dB; null for equal pictures. */
  readonly psnr: number | null;
  readonly ssim: number;
  /** Relative L2 error of the final latents; null for a run whose numbers grew beyond all bounds. */
  readonly latentError: number | null;
}

export class RunFile {
  private constructor(
    readonly path: string,
    private readonly done: Map<string, Line>,
  ) {}

  /**
   * Begins a file, or goes on with one. A last line that was cut short is taken off.
   * @throws AppError `bad-request` if the file is of another bench or no run file at all.
   */
  static async open(path: string, header: Header): Promise<RunFile> {
    const text = await readIfThere(path);
    if (text === null) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${JSON.stringify(header)}\n`);
      return new RunFile(path, new Map());
    }
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...lines] = whole
      .split('\n')
      .slice(0, -1)
      .map((line) => parse(path, line));
    checkHeader(path, first, header);
    if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
    return new RunFile(path, new Map((lines as Line[]).map((line) => [keyOf(line), line])));
  }

  /** The line of this picture by the method with these settings, if it is there. */
  find(key: Pick<Line, 'case' | 'method' | 'settings'>): Line | undefined {
    return this.done.get(keyOf(key));
  }

  async append(line: Line): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(line)}\n`);
    this.done.set(keyOf(line), line);
  }
}

function keyOf({ case: n, method, settings }: Pick<Line, 'case' | 'method' | 'settings'>): string {
  return `${n} ${method} ${settings}`;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new AppError('bad-request', `${path} cannot be read.`, 'Name another file with --run.', {
      cause,
    });
  }
}

function parse(path: string, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw notOurs(path, cause);
  }
}

function checkHeader(path: string, found: unknown, wanted: Header): void {
  if (typeof found !== 'object' || found === null) throw notOurs(path);
  const header = found as Partial<Record<keyof Header, unknown>>;
  if (header.format !== wanted.format) throw notOurs(path);
  const different = (Object.keys(wanted) as (keyof Header)[]).filter(
    (name) => header[name] !== wanted[name],
  );
  if (different.length === 0) return;
  const list = different.map(
    (name) => `${name} ${String(header[name])} there, ${wanted[name]} now`,
  );
  throw new AppError(
    'bad-request',
    `${path} is of another bench: ${list.join('; ')}.`,
    'Use the options it was made with, name another file with --run, or delete it to begin anew.',
  );
}

function notOurs(path: string, cause?: unknown): AppError {
  return new AppError(
    'bad-request',
    `${path} is not a run file of bench.`,
    'Name another file with --run, or delete it to begin anew.',
    { cause },
  );
}
