/** What is read of Vitest's JSON report. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** A file that could not be run has a message and no tests. */
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

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Texts that say what failed and why. */
  readonly failures: string[];
  /** Names of the tests that were skipped. */
  readonly skips: string[];
}

export interface VitestRun {
  readonly ok: boolean;
  readonly counts: Counts;
}

/** Whether Vitest failed though no test did: a process of its own ended, as when native code crashes. */
export function crashed({ ok, counts }: VitestRun): boolean {
  return !ok && counts.failed === 0 && counts.failures.length === 0;
}

/**
 * Dawn, which gives Node its WebGPU, now and then takes a process of the GPU tests down with it.
 * That is said, and the tests run once more.
 */
export async function runGpuTests<R extends VitestRun | undefined>(
  run: () => Promise<R>,
): Promise<R> {
  const first = await run();
  if (!first || !crashed(first)) return first;
  console.log('\nA process of the GPU tests crashed. All of them run once more.');
  return run();
}

/** Counts of several runs, and what failed in them. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly failures: string[] = [];

  add(counts: Counts): void {
    this.passed += counts.passed;
    this.failed += counts.failed;
    this.skipped += counts.skipped;
    this.failures.push(...counts.failures);
  }

  /** One more that failed. */
  fail(text: string): void {
    this.failed++;
    this.failures.push(`FAILED ${text}`);
  }

  /** The line of counts comes last: programs read it. */
  print(): void {
    for (const failure of this.failures) console.log(`\n${failure}`);
    console.log(`\n${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
  }
}

const MESSAGE_LINES = 12;

/** @param root folder that the report's paths begin with */
export function readReport(path: string, root = process.cwd()): Counts {
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests,
    failures: failuresIn(report, root),
    skips: report.testResults.flatMap(({ assertionResults }) =>
      assertionResults
        .filter(({ status }) => status !== 'passed' && status !== 'failed')
        .map(({ fullName }) => fullName),
    ),
  };
}

/** The tests that failed and why: thousands of lines lie between them and the end otherwise. */
function failuresIn({ testResults }: Report, root: string): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const tests = assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => [test.fullName, ...(test.failureMessages ?? [])].join('\n'));
    const texts = message ? [message, ...tests] : tests;
    return texts.map((text) => {
      const lines = text.split('\n').slice(0, MESSAGE_LINES);
      return `FAILED ${relative(root, name)}\n  ${lines.join('\n  ')}`;
    });
  });
}
