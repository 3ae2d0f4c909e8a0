import { readFile } from 'node:fs/promises';
import { AppError } from '../src/errors.ts';

/**
 * What a JSON file that somebody named holds.
 *
 * @param hint what the file should be, for the errors
 * @throws AppError `not-found` if it cannot be read, `bad-request` if it is not JSON.
 */
export async function readJson(path: string, hint: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('not-found', `${path} cannot be read.`, hint, { cause });
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new AppError('bad-request', `${path} is not valid JSON.`, hint, { cause });
  }
}
