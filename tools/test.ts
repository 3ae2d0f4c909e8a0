/**
 * `npm test`: installs a browser if there is none, then types, lint, and the unit, gpu and
 * end-to-end tests. With names of Vitest projects it runs only their tests. Closes with what
 * failed and the counts. Types or lint that fail end it; a project that fails does not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './chromium.ts';
import { readReport, Tally } from './vitest-report.ts';

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
const total = new Tally();

function vitest(project: string): boolean {
  const report = join(scratch, `${project}.json`);
  const ok = run(`${project} tests`, 'npx', [
    ...['vitest', 'run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ]);
  if (!existsSync(report)) {
    total.fail(`${project} tests\n  They did not start; the lines above say why.`);
    return false;
  }
  total.add(readReport(report));
  return ok;
}

/** What `npm test` runs; `browsers` is a suite of its own, which installs browsers. */
const USUAL = ['unit', 'gpu', 'e2e'];

function checkSources(): boolean {
  return run('types', 'npm', ['run', '-s', 'types']) && run('lint', 'npm', ['run', '-s', 'lint']);
}

const named = process.argv.slice(2);
const projects = named.length > 0 ? named : USUAL;
// SwiftShader, the software GPU, comes with Chromium.
if (projects.some((project) => ['gpu', 'e2e'].includes(project)))
  process.env['CHROMIUM_PATH'] = await findChromium();
const ok = (named.length > 0 || checkSources()) && projects.map(vitest).every(Boolean);
rmSync(scratch, { recursive: true, force: true });
total.print();
process.exitCode = ok ? 0 : 1;
