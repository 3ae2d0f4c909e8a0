import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findFirefox, findWebKit } from '../../../scripts/browsers.ts';
import { programInPath } from '../../../scripts/install.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'browsers-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function makeProgram(...path: string[]): Promise<string> {
  const file = join(folder, ...path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, '#!/bin/sh\n');
  await chmod(file, 0o755);
  return file;
}

it('finds a program by its first name, in whichever folder of PATH it is', async () => {
  await makeProgram('a', 'firefox');
  const esr = await makeProgram('b', 'firefox-esr');
  const env = { PATH: [join(folder, 'a'), '', join(folder, 'b')].join(delimiter) };
  expect(await findFirefox(() => undefined, env)).toBe(esr);
});

it('takes neither files without the right to run nor folders for programs', async () => {
  await writeFile(join(folder, 'firefox-esr'), '');
  await mkdir(join(folder, 'firefox'));
  expect(programInPath(['firefox-esr', 'firefox'], { PATH: folder })).toBeUndefined();
});

it('says what is missing and which package has it where it cannot install', async () => {
  const log: string[] = [];
  const env = { PATH: folder };
  await expect(findFirefox((text) => log.push(text), env)).rejects.toMatchObject({
    message:
      'The browser tests need firefox-esr or firefox, and this machine has none in its PATH.',
    hint: expect.stringContaining("Debian's package firefox-esr") as string,
  });
  const driver = await makeProgram('WebKitWebDriver');
  await expect(findWebKit(() => undefined, env)).rejects.toMatchObject({
    message: 'The browser tests need Xvfb, and this machine has none in its PATH.',
    hint: expect.stringContaining("Debian's package xvfb") as string,
  });
  const display = await makeProgram('Xvfb');
  expect(await findWebKit(() => undefined, env)).toEqual({ driver, display });
  expect(log).toEqual([]);
});
