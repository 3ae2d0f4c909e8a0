/**
 * `npm test`: installs a browser if there is none, then types, lint, and the unit, gpu and
 * end-to-end tests. With names of Vitest projects it runs only their tests. Closes with what
 * failed and the counts. Types or lint that fail end it; a project that fails does not.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './chromium.ts';
import { crashed, readReport, runGpuTests, Tally, type VitestRun } from './vitest-report.ts';

function report(title: string, ok: boolean, started: number): boolean {
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`— ${title}: ${ok ? 'ok' : 'FAILED'} in ${seconds} s`);
  return ok;
}

function run(title: string, command: string, args: string[]): boolean {
  const started = Date.now();
  console.log(`\n— ${title}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: false });
  return report(title, status === 0, started);
}

/** Runs beside others, and prints nothing before its end. */
function runQuietly(title: string, command: string, args: string[]): Promise<boolean> {
  const started = Date.now();
  const child = spawn(command, args, { shell: false });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => (output += data.toString()));
  }
  return new Promise((resolve) => {
    child.on('error', (error) => (output += error.message));
    child.on('close', (status) => {
      if (output.trim() !== '') console.log(`\n— ${title}\n${output}`);
      resolve(report(title, status === 0, started));
    });
  });
}

const scratch = mkdtempSync(join(tmpdir(), 'hicache-test-'));
const total = new Tally();

/** Undefined where Vitest did not start. */
function runProject(project: string): VitestRun | undefined {
  const report = join(scratch, `${project}.json`);
  rmSync(report, { force: true });
  const ok = run(`${project} tests`, 'npx', [
    ...['vitest', 'run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ]);
  return existsSync(report) ? { ok, counts: readReport(report) } : undefined;
}

async function vitest(project: string): Promise<boolean> {
  const attempt = () => Promise.resolve(runProject(project));
  const result = await (project === 'gpu' ? runGpuTests(attempt) : attempt());
  if (!result) {
    total.fail(`${project} tests\n  They did not start; the lines above say why.`);
    return false;
  }
  total.add(result.counts);
  if (crashed(result)) total.fail(`${project} tests\n  A process of theirs crashed.`);
  return result.ok;
}

/** What `npm test` runs; `browsers` is a suite of its own, which installs browsers. */
const USUAL = ['unit', 'gpu', 'e2e'];

async function checkSources(): Promise<boolean> {
  const results = await Promise.all([
    runQuietly('types', 'npm', ['run', '-s', 'types']),
    runQuietly('lint', 'npm', ['run', '-s', 'lint']),
  ]);
  return results.every(Boolean);
}

const named = process.argv.slice(2);
const projects = named.length > 0 ? named : USUAL;
// SwiftShader, the software GPU, comes with Chromium.
if (projects.some((project) => ['gpu', 'e2e'].includes(project)))
  process.env['CHROMIUM_PATH'] = await findChromium();
let ok = named.length > 0 || (await checkSources());
if (ok) for (const project of projects) ok = (await vitest(project)) && ok;
rmSync(scratch, { recursive: true, force: true });
total.print();
process.exitCode = ok ? 0 : 1;
