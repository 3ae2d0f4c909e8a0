import { readFile } from 'node:fs/promises';
import { AppError } from '../../src/shared/errors.ts';

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/** JSON.parse would round a seed of 64 bits before anybody could look at its digits. */
function quoteIfRounded(token: string): string {
  const rounded = /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));
  return rounded ? `"${token}"` : token;
}

/**
 * What a JSON file that somebody named holds.
 *
 * @param hint what the file should be, for the errors
 * Whole numbers that JavaScript would round come as text.
 *
 * @throws AppError `not-found` if it cannot be read, `bad-request` if it is not JSON.
 */
export async function readJson(path: string, hint: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('not-found', `${path} cannot be read.`, hint, { cause });
  });
  try {
    return JSON.parse(text.replace(STRING_OR_NUMBER, quoteIfRounded)) as unknown;
  } catch (cause) {
    throw new AppError('bad-request', `${path} is not valid JSON.`, hint, { cause });
  }
}
