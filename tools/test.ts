/**
 * `npm test`: installs a browser if there is none, then types, lint and every test, and
 * closes with what failed and the counts. Stops at the first stage that fails.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './chromium.ts';
import { readReport } from './vitest-report.ts';

function run(title: string, command: string, args: string[]): boolean {
  const started = Date.now();
  console.log(`\n— ${title}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: false });
  console.log(
    `— ${title}: ${status === 0 ? 'ok' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(0)} s`,
  );
  return status === 0;
}

const scratch = mkdtempSync(join(tmpdir(), 'hicache-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

function vitest(project: string): boolean {
  const report = join(scratch, `${project}.json`);
  const ok = run(`${project} tests`, 'npx', [
    ...['vitest', 'run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ]);
  const counts = readReport(report);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  failures.push(...counts.failures);
  return ok;
}

process.env['CHROMIUM_PATH'] = await findChromium();
const ok =
  run('types', 'npm', ['run', '-s', 'types']) &&
  run('lint', 'npm', ['run', '-s', 'lint']) &&
  ['unit', 'gpu', 'e2e'].map(vitest).every(Boolean);
rmSync(scratch, { recursive: true, force: true });
for (const failure of failures) console.log(`\n${failure}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = ok ? 0 : 1;
