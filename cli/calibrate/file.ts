/** What calibrate keeps in its run file: every measured value, by the work that it took. */
import { RunFile } from '../lib/run-file.ts';

interface Work {
  readonly work: string;
}

export type Done = RunFile<Work, Work & { readonly result: unknown }>;

/** @throws AppError as `RunFile.open` does. */
export function openCalibrateFile(
  path: string,
  header: Readonly<Record<string, string | number>>,
): Promise<Done> {
  return RunFile.open(
    path,
    { format: 'hicache-calibrate', version: 1, ...header },
    ({ work }) => work,
  );
}

/** The result of a piece of work, which is done only if the file does not have it. */
export async function once<Result>(
  file: Done,
  work: string,
  make: () => Promise<Result>,
): Promise<Result> {
  const known = file.find({ work });
  if (known) return known.result as Result;
  const result = await make();
  await file.append({ work, result });
  return result;
}
