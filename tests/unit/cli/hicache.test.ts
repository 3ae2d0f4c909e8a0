import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

function hicache(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'cli/hicache.ts', ...args],
    { cwd: root, encoding: 'utf8' },
  );
  return { code: status, out: stdout, err: stderr };
}

test('without a command it explains itself', () => {
  const { code, out, err } = hicache();
  expect([code, err]).toEqual([0, '']);
  for (const command of ['generate', 'convert', 'doctor', 'bench']) expect(out).toContain(command);
});

test('a mistake ends with code 2, in two lines on stderr', () => {
  const { code, out, err } = hicache('generate', 'a fox', '--out', 'x.gif');
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe('x.gif does not end in .png.\nName the picture with --out FILE.png.\n');
  expect(hicache('toString').code).toBe(2);
});

test('anything else that fails ends with code 1', () => {
  const { code, err } = hicache(
    'generate',
    'a fox',
    '--out',
    'x.png',
    '--bundle',
    'no/such/folder',
  );
  expect(code).toBe(1);
  expect(err).toContain('manifest.json');
  expect(err).not.toContain('    at ');
});
