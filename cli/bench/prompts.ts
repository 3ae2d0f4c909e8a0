/** What bench makes pictures of. */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Manifest } from '../../src/bundle/manifest.ts';
import { AppError } from '../../src/shared/errors.ts';
import { parseSeed, type Seed } from '../../src/shared/seed.ts';
import { readJson } from '../lib/json-file.ts';

export interface Case {
  readonly prompt: string;
  readonly seed: Seed;
}

const schema = v.pipe(
  v.array(
    v.object({
      prompt: v.pipe(v.string(), v.minLength(1)),
      seed: v.union([v.number(), v.string()]),
    }),
  ),
  v.minLength(1, 'is an empty list'),
);

/**
 * 64 prompts of the embedded model's world, compositions that it was never trained on. They are a
 * test set. Nothing may ever be tuned on them, no setting, threshold or model of the features, or
 * the figures would say nothing.
 */
const DEFAULT_PROMPTS = fileURLToPath(new URL('prompts.json', import.meta.url));

/**
 * A list of prompts and seeds as `training/evaluate.py --list` writes it. Seeds may be text.
 * @throws AppError `not-found` if there is no such file, `bad-request` if it is no such list.
 */
export async function readCases(path = DEFAULT_PROMPTS): Promise<Case[]> {
  const hint =
    'It is a list of { "prompt": …, "seed": … }, as training/evaluate.py --list writes it.';
  const json = await readJson(path, hint);
  const result = v.safeParse(schema, json);
  if (result.success) {
    // What is no seed is refused with the rest of its request, which knows the prompt's place.
    return result.output.map(({ prompt, seed }) => ({ prompt, seed: parseSeed(seed) ?? seed }));
  }
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? 'the list';
  throw new AppError('bad-request', `${path}: ${where}: ${issue.message}.`, hint);
}

/** SHA-256 of anything that is the same when its JSON is. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** What run files know a model by: its files. A calibration does not make it another one. */
export function modelDigest({ files }: Manifest): string {
  return digest(files);
}
