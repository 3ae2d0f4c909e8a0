/**
 * The run file of a long command: a header line that says what is measured, and a line for every
 * piece of work that is done, so that a run that was stopped goes on where it was.
 */
import { appendFile, readFile, truncate } from 'node:fs/promises';
import { AppError } from '../../src/shared/errors.ts';
import { explainOutput, writeOutput } from './outputs.ts';

/** Where run files lie that nobody named; git ignores it. */
export const RUN_FOLDER = 'tmp';

/** What all lines of a run file have in common; `format` names the command. */
type Header = Readonly<Record<string, string | number>> & { readonly format: string };

/** @template Key what tells one line from the others; it is part of the line. */
export class RunFile<Key, Line extends Key> {
  private constructor(
    readonly path: string,
    private readonly keyOf: (key: Key) => string,
    private readonly done: Map<string, Line>,
  ) {}

  /**
   * Begins a file, or goes on with one. A last line that was cut short is taken off.
   * @throws AppError `bad-request` if the file is of another run, no run file at all, or cannot be
   * written.
   */
  static async open<Key, Line extends Key>(
    path: string,
    header: Header,
    keyOf: (key: Key) => string,
  ): Promise<RunFile<Key, Line>> {
    const text = await readIfThere(path);
    if (text === null) {
      await writeOutput({ path, option: '--run' }, `${JSON.stringify(header)}\n`);
      return new RunFile<Key, Line>(path, keyOf, new Map());
    }
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...lines] = whole
      .split('\n')
      .slice(0, -1)
      .map((line) => parse(path, line));
    checkHeader(path, first, header);
    if (whole.length < text.length) {
      await truncate(path, Buffer.byteLength(whole)).catch(explained(path));
    }
    const done = (lines as Line[]).map((line): [string, Line] => [keyOf(line), line]);
    return new RunFile<Key, Line>(path, keyOf, new Map(done));
  }

  /** The line of this piece of work, if it is done. */
  find(key: Key): Line | undefined {
    return this.done.get(this.keyOf(key));
  }

  async append(line: Line): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(line)}\n`).catch(explained(this.path));
    this.done.set(this.keyOf(line), line);
  }
}

/** What a command that was stopped says of its run file. */
export function stopped(path: string): AppError {
  const hint = 'Run the same command again to go on.';
  return new AppError('cancelled', `Stopped. What was done is in ${path}.`, hint);
}

function explained(path: string): (cause: unknown) => Promise<never> {
  return async (cause) => {
    throw await explainOutput(cause, { path, option: '--run' });
  };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw await explainOutput(cause, { path, option: '--run' });
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
  const header = found as Partial<Header>;
  if (header.format !== wanted.format) throw notOurs(path);
  const different = Object.keys(wanted).filter((name) => header[name] !== wanted[name]);
  if (different.length === 0) return;
  const list = different.map((name) => `${name} ${header[name]} there, ${wanted[name]} now`);
  throw new AppError(
    'bad-request',
    `${path} is of another run: ${list.join('; ')}.`,
    'Use the options it was made with, name another file with --run, or delete it to begin anew.',
  );
}

function notOurs(path: string, cause?: unknown): AppError {
  return new AppError(
    'bad-request',
    `${path} is not a run file of this command.`,
    'Name another file with --run, or delete it to begin anew.',
    { cause },
  );
}
