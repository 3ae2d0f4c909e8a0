/** A folder of bench's pictures, METHOD/0.png and so on, for training/evaluate.py --benchmark. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import type { DecodedPicture } from '../../src/runtime/backend.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { Header } from './file.ts';
import type { Case } from './prompts.ts';
import { explainOutput, writeOutput } from '../lib/outputs.ts';

/**
 * Says in the folder whose pictures these are, and what they should show.
 * @throws AppError `bad-request` if it has the pictures of another bench, or cannot be written.
 */
export async function openPictures(
  folder: string,
  header: Header,
  cases: readonly Case[],
): Promise<void> {
  const bench = join(folder, 'bench.json');
  const text = `${JSON.stringify(header)}\n`;
  const found = await readFile(bench, 'utf8').catch(async (cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return text;
    throw await explainOutput(cause, { path: bench, option: '--pictures' });
  });
  if (found !== text) {
    throw new AppError(
      'bad-request',
      `${folder} has the pictures of another bench.`,
      'Name another folder with --pictures, or delete it.',
    );
  }
  await writePart(bench, text);
  await writePart(join(folder, 'prompts.json'), `${JSON.stringify(cases, null, 1)}\n`);
}

export function picturePath(folder: string, method: string, n: number): string {
  return join(folder, method, `${n}.png`);
}

export async function writePicture(
  path: string,
  { width, height, pixels }: DecodedPicture,
): Promise<void> {
  await writePart(path, encode({ width, height, data: pixels }));
}

function writePart(path: string, content: Uint8Array | string): Promise<void> {
  return writeOutput({ path, option: '--pictures' }, content);
}
