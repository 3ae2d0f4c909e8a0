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
import { type Counts, crashed, readReport, Tally } from './vitest-report.ts';

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

/**
 * Dawn, which gives Node its WebGPU, now and then takes a process of the GPU tests down with it.
 * That is said, and the tests run once more.
 */
function vitest(project: string): boolean {
  const first = attempt(project);
  if (project !== 'gpu' || !first.counts || !crashed(first.ok, first.counts)) return count(first);
  console.log('\nA process of the GPU tests crashed. All of them run once more.');
  return count(attempt(project));
}

interface Attempt {
  readonly project: string;
  readonly ok: boolean;
  /** Undefined where Vitest did not start. */
  readonly counts: Counts | undefined;
}

function attempt(project: string): Attempt {
  const report = join(scratch, `${project}.json`);
  const ok = run(`${project} tests`, 'npx', [
    ...['vitest', 'run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ]);
  const counts = existsSync(report) ? readReport(report) : undefined;
  rmSync(report, { force: true });
  return { project, ok, counts };
}

function count({ project, ok, counts }: Attempt): boolean {
  if (!counts) {
    total.fail(`${project} tests\n  They did not start; the lines above say why.`);
    return false;
  }
  total.add(counts);
  if (crashed(ok, counts)) total.fail(`${project} tests\n  A process of theirs crashed.`);
  return ok;
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
const ok = (named.length > 0 || (await checkSources())) && projects.map(vitest).every(Boolean);
rmSync(scratch, { recursive: true, force: true });
total.print();
process.exitCode = ok ? 0 : 1;
