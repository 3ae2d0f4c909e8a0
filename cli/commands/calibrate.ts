/** `hicache calibrate`: finds where a model's steps are best computed, and keeps it in its bundle. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { MANIFEST } from '../../src/bundle/manifest.ts';
import type { Manifest } from '../../src/bundle/manifest.ts';
import type { Calibration } from '../../src/forecast/calibration.ts';
import { PUBLISHED } from '../../src/forecast/settings.ts';
import { AppError, reportOf } from '../../src/shared/errors.ts';
import { checkRequest } from '../../src/sampling/request.ts';
import { CALIBRATE_HELP, calibrateOptions, type CalibrateOptions } from '../calibrate/options.ts';
import { openCalibrateFile } from '../calibrate/file.ts';
import { BUDGETS, calibrate } from '../calibrate/run.ts';
import { type Case, digest, modelDigest, readCases } from '../bench/prompts.ts';
import { startEngine } from '../lib/engine.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { checkOutputs, type Output, writeOutput } from '../lib/outputs.ts';
import { cutPrompts } from '../lib/prompt-notes.ts';
import { RUN_FOLDER, stopped } from '../lib/run-file.ts';

/** Far from the seeds that people type, so that no picture is one of theirs. */
const FIRST_SEED = 3_000_000_000;

/** What the pictures have in common with any other request. */
const PROBE = { steps: 1, sampler: 'euler', cache: PUBLISHED, preview: false } as const;

export async function calibrateCommand(args: string[]): Promise<void> {
  const options = calibrateOptions(args);
  if (options.help) {
    process.stdout.write(CALIBRATE_HELP);
    return;
  }
  const { bundle: folder, steps, rounds, moves } = options;
  const bundle = await openBundleFolder(folder);
  const { manifest } = bundle;
  const subjects = (await casesFor(options, manifest)).map((one) => ({
    ...one,
    ...manifest.sizes[0]!,
  }));
  for (const subject of subjects) checkRequest({ ...PROBE, ...subject }, manifest);
  const model = modelDigest(manifest);
  const path = options.run ?? join(RUN_FOLDER, `calibrate-${model.slice(0, 8)}.jsonl`);
  const output = { path: join(folder, MANIFEST), option: '--bundle' };
  await checkOutputs([output, { path, option: '--run' }]);
  const engine = await startEngine(bundle, options.backend);
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  try {
    for (const { note } of cutPrompts(engine, subjects)) process.stderr.write(`${note}\n`);
    const { kind, precision } = engine.backend.info;
    const header = { model, backend: kind, precision, pictures: digest(subjects) };
    const file = await openCalibrateFile(path, header);
    const calibration = await calibrate(engine, subjects, file, {
      budgets: BUDGETS.filter((budget) => steps.includes(budget.steps)),
      rounds,
      moves,
      signal: abort.signal,
      onProgress: (line) => process.stderr.write(`${line}\n`),
    }).catch((error: unknown) => {
      throw reportOf(error).code === 'cancelled' ? stopped(path) : error;
    });
    await store(output, calibration);
    const found = calibration.plans.map(
      ({ steps, computeSteps, error }) =>
        `${computeSteps.length} of ${steps}: ${error.toFixed(4)} at ${computeSteps.join(' ')}\n`,
    );
    process.stdout.write(found.join(''));
  } finally {
    await engine.backend.dispose();
  }
}

async function casesFor(
  { prompts, pictures }: CalibrateOptions,
  { examples }: Manifest,
): Promise<readonly Case[]> {
  if (prompts !== undefined) return (await readCases(prompts)).slice(0, pictures);
  if (examples.length === 0) {
    const hint = 'Name a list of { "prompt": …, "seed": … } with --prompts FILE.json.';
    throw new AppError('bad-request', 'The bundle has no example prompts.', hint);
  }
  return Array.from({ length: pictures }, (_, i) => ({
    prompt: examples[i % examples.length]!,
    seed: FIRST_SEED + i,
  }));
}

/** Everything else in the manifest stays as it was written. */
async function store(output: Output, calibration: Calibration): Promise<void> {
  const manifest = JSON.parse(await readFile(output.path, 'utf8')) as Record<string, unknown>;
  await writeOutput(output, `${JSON.stringify({ ...manifest, calibration }, null, 2)}\n`);
}
