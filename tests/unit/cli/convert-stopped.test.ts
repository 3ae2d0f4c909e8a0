/** `hicache convert` stopped in real processes: the result is the same to the byte. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diffusersFiles, type Files, writeFiles } from '../support/tiny-flux.ts';
import { converted, expectSameFiles, filesIn, hicacheConvert } from './convert-run.ts';

/** In milliseconds; every start of Node takes a second, on a busy machine several. */
const TIMEOUT = 240_000;

let scratch: string;
let undisturbed: Files;

const argumentsFor = (out: string): string[] => [
  join(scratch, 'model'),
  '--out',
  join(scratch, out),
  '--quant',
  'int8',
];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'convert-stopped-'));
  await writeFiles(join(scratch, 'model'), diffusersFiles());
  await converted(...argumentsFor('undisturbed'));
  undisturbed = filesIn(join(scratch, 'undisturbed'));
}, TIMEOUT);
afterAll(() => rm(scratch, { recursive: true }));

test('killed ten times at random moments', { timeout: TIMEOUT }, async () => {
  const whole = await hicacheConvert(argumentsFor('whole'));
  expect(whole.code).toBe(0);
  const moments = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { numRuns: 10, seed: 3 });
  let kills = 0;
  let { converting } = whole;
  for (const moment of moments) {
    const ended = await hicacheConvert(argumentsFor('killed'), (child) => {
      setTimeout(() => child.kill('SIGKILL'), moment * converting);
    });
    if (ended.signal === 'SIGKILL') kills++;
    // It had less to do, or the machine is less busy than it was.
    else converting = Math.min(converting, ended.converting);
  }
  // One that was nearly done may be done before its moment; the next then begins anew.
  expect(kills).toBeGreaterThan(3);
  expect((await hicacheConvert(argumentsFor('killed'))).code).toBe(0);
  expectSameFiles(filesIn(join(scratch, 'killed')), undisturbed);
  expectSameFiles(filesIn(join(scratch, 'whole')), undisturbed);
});

test('interrupted, it says that it goes on', { timeout: TIMEOUT }, async () => {
  const stopped = await hicacheConvert(argumentsFor('stopped'), (child) => child.kill('SIGINT'));
  expect(stopped).toMatchObject({ code: 1, signal: null });
  expect(stopped.err).toContain('The conversion was stopped.\n');
  expect(stopped.err).toContain('it goes on from here.\n');
  expect(existsSync(join(scratch, 'stopped/manifest.json'))).toBe(false);
  expect(existsSync(join(scratch, 'stopped/conversion.journal'))).toBe(true);
  expect((await hicacheConvert(argumentsFor('stopped'))).code).toBe(0);
  expectSameFiles(filesIn(join(scratch, 'stopped')), undisturbed);
});
