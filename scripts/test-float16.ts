/**
 * `npm run test:float16`: the GPU tests, `doctor` and one image in half precision, on lavapipe and
 * Node 24 in a chroot (float16-chroot.ts). Fails where anything of it is missing or skipped, and
 * closes with what failed and the counts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { messageOf, reportOf } from '../src/shared/errors.ts';
import { type Chroot, openChroot } from './float16-chroot.ts';
import { psnr } from '../cli/lib/psnr.ts';
import { readReport, runGpuTests, Tally } from './vitest-report.ts';

/** Decibels. Rounding to half precision leaves 48 to 50; faults of a kernel cost far more. */
const LEAST_PSNR = 45;
/** Every step computed: forecasts amplify rounding, and the GPU tests have a bound of their own for them. */
const IMAGE = [
  'a big fox on a blue background',
  ...['--seed', '5', '--steps', '8', '--basis', 'none'],
];

const NODE_TOOLS = {
  tsx: 'node_modules/tsx/dist/cli.mjs',
  vitest: 'node_modules/vitest/vitest.mjs',
};

const total = new Tally();

/** One check, which counts as a test; it throws to fail. */
async function check(title: string, run: () => Promise<void>): Promise<void> {
  const started = Date.now();
  console.log(`\n— ${title}`);
  try {
    await run();
    total.passed++;
  } catch (error) {
    total.fail(`${title}\n  ${messageOf(error)}`);
  }
  console.log(`— ${title}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

async function hicache(chroot: Chroot, ...args: string[]): Promise<string> {
  let said = '';
  const status = await chroot.run(
    ['node', NODE_TOOLS.tsx, 'cli/hicache.ts', ...args],
    {},
    (text) => {
      said += text;
      process.stdout.write(text);
    },
  );
  if (status !== 0)
    throw new Error(`hicache ${args[0]!} ended with ${status}: ${said.slice(-2000)}`);
  return said;
}

/** The self-test passes in float16, on the driver that was named. */
async function doctor(chroot: Chroot): Promise<void> {
  const said = await hicache(chroot, 'doctor');
  for (const line of [/^Vulkan driver: lavapipe/m, /^Self-test passed in float16/m]) {
    if (!line.test(said)) throw new Error(`doctor does not say ${line.source.slice(1)}`);
  }
}

/** The same image on both backends. */
async function image(chroot: Chroot, scratch: string): Promise<void> {
  const draw = async (backend: string) => {
    const out = join(scratch, `${backend}.png`);
    await hicache(chroot, 'generate', ...IMAGE, '--backend', backend, '--out', out);
    return decode(readFileSync(out));
  };
  const [cpu, gpu] = [await draw('cpu'), await draw('webgpu')];
  const decibels = psnr(Uint8ClampedArray.from(cpu.data), Uint8ClampedArray.from(gpu.data));
  console.log(`float16 on WebGPU against float32 on the CPU: ${decibels.toFixed(1)} dB`);
  if (!(decibels >= LEAST_PSNR)) {
    throw new Error(`${decibels.toFixed(1)} dB, where ${LEAST_PSNR} dB are needed`);
  }
}

/** The whole gpu project. Every adapter feature is there, so a skipped test is a failure. */
async function gpuTests(chroot: Chroot, scratch: string): Promise<void> {
  const report = join(scratch, 'gpu.json');
  const { ok, counts } = await runGpuTests(async () => {
    const status = await chroot.run([
      ...['node', NODE_TOOLS.vitest, 'run', '--project', 'gpu'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ]);
    return { ok: status === 0, counts: readReport(report, '/repository') };
  });
  total.add(counts);
  if (counts.skipped > 0) throw new Error(`skipped: ${counts.skips.join('; ')}`);
  if (!ok && counts.failed === 0) throw new Error('vitest failed, and no test did');
}

async function main(): Promise<void> {
  const chroot = await openChroot();
  const scratch = mkdtempSync(join(tmpdir(), 'hicache-float16-'));
  try {
    await check('doctor', () => doctor(chroot));
    await check('GPU tests', () => gpuTests(chroot, scratch));
    await check('an image', () => image(chroot, scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  const { message, hint } = reportOf(error);
  total.fail(`${message}\n  ${hint}`);
}
total.print();
process.exitCode = total.failed === 0 && total.skipped === 0 ? 0 : 1;
