/** What training/evaluate.py found of each method's pictures. */
import * as v from 'valibot';
import { AppError } from '../../src/shared/errors.ts';
import type { Accuracy } from './summary.ts';
import { readJson } from '../lib/json-file.ts';

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const schema = v.object({
  pictures: v.number(),
  methods: v.record(
    v.string(),
    v.object({ 'object accuracy': share, 'background accuracy': share }),
  ),
});

/**
 * By method. The file is the report of `training/evaluate.py --benchmark`.
 * @throws AppError `not-found` or `bad-request`, also if it judged another number of pictures.
 */
export async function readAccuracies(
  path: string,
  pictures: number,
): Promise<ReadonlyMap<string, Accuracy>> {
  const hint = 'Make it with training/evaluate.py --benchmark from the folder of --pictures.';
  const json = await readJson(path, hint);
  const result = v.safeParse(schema, json);
  if (!result.success) {
    const [issue] = result.issues;
    const where = v.getDotPath(issue) ?? 'the top level';
    throw new AppError('bad-request', `${path}: ${where}: ${issue.message}`, hint);
  }
  const report = result.output;
  if (report.pictures !== pictures) {
    const message = `${path} judges ${report.pictures} pictures of each method, not ${pictures}.`;
    throw new AppError('bad-request', message, hint);
  }
  return new Map(
    Object.entries(report.methods).map(([id, found]) => [
      id,
      { object: found['object accuracy'], background: found['background accuracy'] },
    ]),
  );
}
