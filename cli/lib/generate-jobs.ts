/** What `hicache generate` makes: one picture, or those of a list that are not there yet. */
import { existsSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Manifest } from '../../src/bundle/manifest.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { GenerateRequest } from '../../src/sampling/job.ts';
import { checkRequest } from '../../src/sampling/request.ts';
import { type Arguments, textOption } from './args.ts';
import { readCases } from '../bench/prompts.ts';

export interface Job {
  readonly request: GenerateRequest;
  /** Where the picture goes. */
  readonly path: string;
}

/**
 * @param request what the options say, with the prompt of the command line
 * @throws AppError `bad-request` for whatever is wrong with any of them; `not-found` without the list.
 */
export async function jobsFrom(
  parsed: Arguments,
  request: GenerateRequest,
  manifest: Manifest,
): Promise<Job[]> {
  const { values } = parsed;
  const list = textOption(values, 'list');
  const out = textOption(values, 'out');
  if (list === undefined) {
    const path = outputFile(out);
    checkRequest(request, manifest);
    return [{ request, path }];
  }
  refuseForList(parsed);
  const folder = outputFolder(out);
  const cases = await readCases(list);
  const jobs = cases.map(({ prompt, seed }, n) => ({
    request: { ...request, prompt, seed },
    path: join(folder, `${n}.png`),
  }));
  jobs.forEach((job, n) => checkListed(job, n, manifest));
  return jobs.filter(({ path }) => !(existsSync(path) && statSync(path).isFile()));
}

function checkListed({ request }: Job, n: number, manifest: Manifest): void {
  try {
    checkRequest(request, manifest);
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError(cause.code, `Prompt ${n} of the list: ${cause.message}`, cause.hint, {
      cause,
    });
  }
}

function refuseForList({ positionals, values }: Arguments): void {
  if (positionals.length > 0) {
    const message = `There is a list, and a prompt too: ${positionals.join(' ')}.`;
    throw new AppError('bad-request', message, 'Leave one of them out.');
  }
  for (const option of ['seed', 'stats']) {
    if (values[option] === undefined) continue;
    const hint = 'Every prompt of the list has its own seed; stats are of a single picture.';
    throw new AppError('bad-request', `--${option} does not go with --list.`, hint);
  }
}

function outputFile(path: string | undefined): string {
  if (path !== undefined && extname(path).toLowerCase() === '.png') return path;
  throw new AppError(
    'bad-request',
    path === undefined ? 'There is no file to write to.' : `${path} does not end in .png.`,
    'Name the picture with --out FILE.png.',
  );
}

function outputFolder(path: string | undefined): string {
  if (path !== undefined && extname(path).toLowerCase() !== '.png') return path;
  throw new AppError(
    'bad-request',
    path === undefined ? 'There is no folder to write to.' : `${path} is the name of one picture.`,
    'Name the folder for the pictures of the list with --out DIR.',
  );
}
