import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBenchFile } from '../../../cli/bench/file.ts';
import { HEADER, lineOf } from './bench-engine.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'));
  path = join(folder, 'new', 'run.jsonl');
});

afterEach(() => rm(folder, { recursive: true }));

test('lines are there again when the file is opened again', async () => {
  const file = await openBenchFile(path, HEADER);
  await file.append(lineOf());
  await file.append(lineOf({ case: 1, ssim: 0.5 }));
  const again = await openBenchFile(path, HEADER);
  expect(again.find(lineOf())).toEqual(lineOf());
  expect(again.find(lineOf({ case: 1 }))!.ssim).toBe(0.5);
});

test('a line counts only for its prompt, method and settings', async () => {
  const file = await openBenchFile(path, HEADER);
  await file.append(lineOf());
  for (const other of [{ case: 1 }, { method: 'reuse-7' }, { settings: '1' }]) {
    expect(file.find(lineOf(other))).toBeUndefined();
  }
});

test('a line that was cut short is taken off, and the file goes on', async () => {
  await (await openBenchFile(path, HEADER)).append(lineOf({ psnr: 31.5 }));
  const whole = await readFile(path, 'utf8');
  await appendFile(path, '{"case":1,"method":"é');
  const file = await openBenchFile(path, HEADER);
  expect(await readFile(path, 'utf8')).toBe(whole);
  expect(file.find(lineOf())!.psnr).toBe(31.5);
  await file.append(lineOf({ case: 1 }));
  expect((await openBenchFile(path, HEADER)).find(lineOf({ case: 1 }))).toBeDefined();
});

test('a file of another bench is refused; the error says what differs and what to do', async () => {
  await openBenchFile(path, HEADER);
  const before = await readFile(path, 'utf8');
  await expect(openBenchFile(path, { ...HEADER, model: 'xyz', shift: 3 })).rejects.toMatchObject({
    code: 'bad-request',
    message: expect.stringMatching(/model abc there, xyz now; shift 1 there, 3 now/) as string,
    hint: expect.stringMatching(/--run.*delete/) as string,
  });
  expect(await readFile(path, 'utf8')).toBe(before);
});

test.each(['', 'hello\n', '[1]\n', 'null\n', '{"format":"other"}\n', '{"format"'])(
  'a file with %j is not taken for a run file',
  async (text) => {
    path = join(folder, 'run.jsonl');
    await writeFile(path, text);
    await expect(openBenchFile(path, HEADER)).rejects.toMatchObject({ code: 'bad-request' });
    expect(await readFile(path, 'utf8')).toBe(text);
  },
);
