/** `hicache bench`: what forecasting saves and what it costs, against the honest alternatives. */
import { join } from 'node:path';
import process from 'node:process';
import packageFile from '../../package.json' with { type: 'json' };
import type { BackendInfo } from '../../src/runtime/backend.ts';
import type { Manifest } from '../../src/bundle/manifest.ts';
import { reportOf } from '../../src/shared/errors.ts';
import { gridOf } from '../../src/sampling/latents.ts';
import { checkRequest } from '../../src/sampling/request.ts';
import { readAccuracies } from '../bench/accuracy.ts';
import { type BenchFile, type Header, type Line, openBenchFile } from '../bench/file.ts';
import type { Method } from '../bench/methods.ts';
import { BENCH_HELP, benchOptions, type BenchOptions } from '../bench/options.ts';
import { openPictures } from '../bench/images.ts';
import { type Case, digest, modelDigest, readCases } from '../bench/prompts.ts';
import { renderedPaths, renderFolder } from '../bench/render.ts';
import { type BenchResults, machineInWords, writeResults } from '../bench/results.ts';
import { lineKey, type Progress, runBench, type Subject } from '../bench/run.ts';
import { type Accuracy, summarize } from '../bench/summary.ts';
import { tables } from '../bench/table.ts';
import { startEngine } from '../lib/engine.ts';
import { cutPrompts } from '../lib/prompt-notes.ts';
import { RUN_FOLDER, stopped } from '../lib/run-file.ts';
import { callFlops } from '../lib/flops.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { checkOutputFolder, checkOutputs } from '../lib/outputs.ts';

export async function benchCommand(args: string[]): Promise<void> {
  const options = benchOptions(args);
  if (options.help) {
    process.stdout.write(BENCH_HELP);
    return;
  }
  if (options.render) {
    process.stdout.write(`${await renderFolder(options.out ?? '.')}\n`);
    return;
  }
  const results = await measure(options);
  process.stdout.write(`${tables(results)}\n`);
  if (options.out === undefined) return;
  process.stdout.write(`${await writeResults(options.out, results)}\n`);
  process.stdout.write(`${await renderFolder(options.out)}\n`);
}

async function measure(options: BenchOptions): Promise<BenchResults> {
  const { methods, pictures } = options;
  const bundle = await openBundleFolder(options.bundle);
  const manifest = withShift(bundle.manifest, options.shift);
  const list = await readCases(options.prompts);
  const cases = list.slice(0, options.limit);
  const subjects = cases.map((one): Subject => ({ ...one, ...manifest.sizes[0]! }));
  checkAll(subjects, options, manifest);
  const accuracies = options.accuracy && (await readAccuracies(options.accuracy, cases.length));

  await checkFolders(options);

  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  const engine = await startEngine(bundle, options.backend, { cachedTexts: 0 });
  try {
    const cut = cutPrompts(engine, cases);
    for (const { note } of cut) process.stderr.write(`${note}\n`);
    const { info } = engine.backend;
    const header = headerOf(options, bundle.manifest, manifest, info, list);
    const file = await openBenchFile(options.run ?? runFileFor(header), header);
    await checkResults(options, header, info);
    if (pictures !== undefined) await openPictures(pictures, header, cases);
    await runBench({ ...engine, manifest }, subjects, methods, file, {
      signal: abort.signal,
      onProgress: report,
      ...(pictures === undefined ? {} : { pictures }),
    }).catch((error: unknown) => {
      throw reportOf(error).code === 'cancelled' ? stopped(file.path) : error;
    });
    const results = resultsOf(
      options,
      header,
      manifest,
      info,
      file,
      cases.length,
      accuracies || new Map(),
    );
    const prompts = { ...results.prompts, cut: cut.map(({ index }) => index) };
    return { ...results, prompts };
  } finally {
    await engine.backend.dispose();
  }
}

/** Before the engine starts: what is known of where things go. */
async function checkFolders({ run, out, pictures }: BenchOptions): Promise<void> {
  if (run !== undefined) await checkOutputs([{ path: run, option: '--run' }]);
  else await checkOutputFolder({ path: RUN_FOLDER, option: '--run' });
  if (out !== undefined) await checkOutputFolder({ path: out, option: '--out' });
  if (pictures !== undefined) await checkOutputFolder({ path: pictures, option: '--pictures' });
}

/** Before the first picture: what has the backend's name in it, and a folder for each method. */
async function checkResults(
  { out, steps, pictures, methods }: BenchOptions,
  { shift }: Header,
  backend: BackendInfo,
): Promise<void> {
  const paths = out === undefined ? [] : renderedPaths(out, { steps, shift, backend });
  await checkOutputs(paths.map((path) => ({ path, option: '--out' })));
  if (pictures === undefined) return;
  for (const { id } of methods) {
    await checkOutputFolder({ path: join(pictures, id), option: '--pictures' });
  }
}

function withShift(manifest: Manifest, shift: number | undefined): Manifest {
  if (shift === undefined) return manifest;
  return { ...manifest, scheduler: { ...manifest.scheduler, shift, useDynamicShifting: false } };
}

/** Every prompt and every method, before anything heavy starts. */
function checkAll(
  subjects: readonly Subject[],
  { methods }: BenchOptions,
  manifest: Manifest,
): void {
  const check = (subject: Subject, { steps, sampler, cache }: Method): void =>
    checkRequest({ ...subject, steps, sampler, cache, preview: false }, manifest);
  for (const method of methods) check(subjects[0]!, method);
  for (const subject of subjects) check(subject, methods[0]!);
}

function headerOf(
  { steps }: BenchOptions,
  original: Manifest,
  { scheduler, sizes }: Manifest,
  { kind, precision }: BackendInfo,
  list: readonly Case[],
): Header {
  return {
    format: 'hicache-bench',
    version: 1,
    program: packageFile.version,
    model: modelDigest(original),
    backend: kind,
    precision,
    steps,
    shift: scheduler.useDynamicShifting ? 'dynamic' : scheduler.shift,
    ...sizes[0]!,
    prompts: digest(list),
  };
}

function runFileFor({ model, steps, shift, backend }: Header): string {
  return join(RUN_FOLDER, `bench-${model.slice(0, 8)}-${steps}-shift${shift}-${backend}.jsonl`);
}

function resultsOf(
  { steps, budgets, methods }: BenchOptions,
  header: Header,
  manifest: Manifest,
  { kind, adapter, precision }: BackendInfo,
  file: BenchFile,
  count: number,
  accuracies: ReadonlyMap<string, Accuracy>,
): BenchResults {
  const { width, height } = header;
  const grid = gridOf(header, manifest);
  const flops = callFlops(manifest, grid.rows * grid.columns);
  const linesOf = (method: Method): Line[] =>
    Array.from({ length: count }, (_, n) => file.find(lineKey(method, n, manifest.calibration))!);
  const full = linesOf(methods[0]!);
  return {
    format: 'hicache-bench-results',
    version: 1,
    model: { title: manifest.title, manifest: header.model },
    program: header.program,
    machine: machineInWords(),
    backend: { kind, adapter, precision },
    steps,
    shift: header.shift,
    size: { width, height },
    budgets,
    prompts: { count, list: header.prompts },
    flops,
    methods: methods.map((method) =>
      summarize(method, linesOf(method), full, flops, accuracies.get(method.id) ?? null),
    ),
  };
}

/** One line that moves on a terminal; elsewhere one line for every hundredth of the work. */
function report({ done, all, secondsLeft }: Progress): void {
  const { stderr } = process;
  const minutes = Math.ceil(secondsLeft / 60);
  const line = `${done}/${all} pictures, about ${minutes} min left`;
  if (stderr.isTTY) stderr.write(`\r${line}\x1b[K${done === all ? '\n' : ''}`);
  else if (done === all || done % Math.ceil(all / 100) === 0) stderr.write(`${line}\n`);
}
