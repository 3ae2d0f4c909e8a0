/**
 * `npm test`: installs a browser if there is none, then types, lint, and the unit, gpu and
 * end-to-end tests. With names of Vitest projects it runs only their tests. Closes with what
 * failed and the counts. Types or lint that fail end it; a project that fails does not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findChromium } from './chromium.ts';

/** What is read of Vitest's JSON report. A file that could not be run has a message and no tests. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: {
    name: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages?: string[] }[];
  }[];
}

const MESSAGE_LINES = 12;

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

/** The tests that failed and why: thousands of lines lie between them and the end otherwise. */
function failed(report: Report): string[] {
  return report.testResults.flatMap(({ name, message, assertionResults }) => {
    const tests = assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => [test.fullName, ...(test.failureMessages ?? [])].join('\n'));
    const texts = message ? [message, ...tests] : tests;
    return texts.map((text) => {
      const lines = text.split('\n').slice(0, MESSAGE_LINES);
      return `FAILED ${relative(process.cwd(), name)}\n  ${lines.join('\n  ')}`;
    });
  });
}

function vitest(project: string): boolean {
  const report = join(scratch, `${project}.json`);
  const ok = run(`${project} tests`, 'npx', [
    ...['vitest', 'run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ]);
  if (!existsSync(report)) {
    total.failed++;
    failures.push(`FAILED ${project} tests\n  They did not start; the lines above say why.`);
    return false;
  }
  const counts = JSON.parse(readFileSync(report, 'utf8')) as Report;
  total.passed += counts.numPassedTests;
  total.failed += counts.numFailedTests;
  total.skipped += counts.numPendingTests;
  failures.push(...failed(counts));
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
for (const failure of failures) console.log(`\n${failure}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = ok ? 0 : 1;
