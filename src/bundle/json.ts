/** A bundle's JSON files, checked as they are read. */
import * as v from 'valibot';
import { AppError } from '../shared/errors.ts';

/**
 * Parses `text` and validates it. `where` is the file or address, for the error.
 * @throws AppError `bad-bundle` that names the field.
 */
export function parseJson<T>(schema: v.GenericSchema<unknown, T>, text: string, where: string): T {
  const hint = 'Convert or download the bundle again.';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new AppError('bad-bundle', `${where} is not valid JSON.`, hint, { cause });
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? 'the top level';
  throw new AppError('bad-bundle', `${where}: ${field}: ${issue.message}`, hint);
}
