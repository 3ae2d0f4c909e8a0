/** `hicache generate`: a picture from a prompt into a PNG file. */
import process from 'node:process';
import { encode } from 'fast-png';
import type { BackendOptions } from '../../src/runtime/choose.ts';
import { AppError } from '../../src/shared/errors.ts';
import { GUIDANCE } from '../../src/shared/limits.ts';
import { type Engine, generate } from '../../src/sampling/generate.ts';
import type { GenerateEvent, GenerateRequest, GenerateResult } from '../../src/sampling/job.ts';
import { SAMPLERS } from '../../src/sampling/scheduler.ts';
import type { Manifest } from '../../src/bundle/manifest.ts';
import {
  type Arguments,
  choiceOption,
  numberOption,
  readArguments,
  seedOption,
  textOption,
  wholeOption,
} from '../lib/args.ts';
import { CACHE_FLAGS, CACHE_HELP, CACHE_OPTIONS, cacheFrom } from '../lib/cache-options.ts';
import { BACKENDS, DEFAULT_BUNDLE, startEngine } from '../lib/engine.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { type Job, jobsFrom } from '../lib/generate-jobs.ts';
import { checkOutputs, writeOutput } from '../lib/outputs.ts';
import { promptNotes } from '../lib/prompt-notes.ts';

const HELP = `Usage: hicache generate "PROMPT" --out FILE.png [options]
       hicache generate --list FILE.json --out DIR [options]

  --out FILE.png        where the picture goes; of a list the folder for 0.png, 1.png and so on
  --list FILE.json      list of {prompt, seed}: the model is loaded once for all of them, and pictures
                        that are there already are left as they are
  --seed N              every seed that torch.manual_seed takes, up to 2^64 - 1 (1); -1 is one of
                        them and does not mean random
  --steps N             sampling steps, 1 to 1000 (the model's usual number)
  --sampler NAME        ${SAMPLERS.join(', ')} (euler)
  --width, --height N   size in pixels (the model's first)
  --guidance N          guidance scale, ${GUIDANCE.min} to ${GUIDANCE.max}, for a model that takes one (its own)
${CACHE_HELP}
  --backend NAME        ${BACKENDS.join(', ')} (auto)
  --memory MIB          memory for the model (what suits this machine); what does not fit is loaded
                        again whenever it is needed
  --bundle DIR          folder of a converted model (${DEFAULT_BUNDLE})
  --stats FILE.json     write what the run did and what it took
`;

const OPTIONS = [
  'out',
  'list',
  'seed',
  'steps',
  'sampler',
  'width',
  'height',
  'guidance',
  'backend',
  'memory',
  'bundle',
  'stats',
  ...CACHE_OPTIONS,
];

export async function generateCommand(args: string[]): Promise<void> {
  const parsed = readArguments(args, OPTIONS, CACHE_FLAGS);
  const { values } = parsed;
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const choice = choiceOption(values, 'backend', BACKENDS, 'auto');
  const bundle = await openBundleFolder(textOption(values, 'bundle') ?? DEFAULT_BUNDLE);
  // All is checked before anything heavy starts.
  const jobs = await jobsFrom(parsed, requestFrom(parsed, bundle.manifest), bundle.manifest);
  if (jobs.length === 0) {
    process.stdout.write('All pictures of the list are there.\n');
    return;
  }

  const stats = textOption(values, 'stats');
  await checkOutputs([
    ...jobs.map(({ path }) => ({ path, option: '--out' })),
    ...(stats === undefined ? [] : [{ path: stats, option: '--stats' }]),
  ]);
  if (jobs.some(({ request }) => request.seed === -1)) {
    process.stderr.write('Seed -1 is a seed like any other here; it does not mean a random one.\n');
  }

  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  const engine = await startEngine(bundle, choice, memoryFrom(parsed));
  try {
    for (const job of jobs) {
      const { result, png } = await makePicture(engine, job, abort.signal);
      if (stats !== undefined) {
        await writeOutput({ path: stats, option: '--stats' }, statsText(result, png));
      }
      process.stdout.write(`${job.path}: ${summary(result)}\n`);
    }
  } finally {
    await engine.backend.dispose();
  }
}

/** One picture, in its file. @throws AppError `cancelled` after the signal. */
export async function makePicture(
  engine: Engine,
  { request, path }: Job,
  signal: AbortSignal,
): Promise<{ result: GenerateResult; png: Uint8Array }> {
  const result = await generate(engine, request, {
    settings: () => request.cache,
    signal,
    onEvent: (event) => report(event, { request, path }),
  });
  const png = encode({ width: result.width, height: result.height, data: result.pixels });
  await writeOutput({ path, option: '--out' }, png);
  return { result, png };
}

function requestFrom(parsed: Arguments, manifest: Manifest): GenerateRequest {
  const { positionals, values } = parsed;
  if (positionals.length > 1) {
    throw new AppError(
      'bad-request',
      `There are ${positionals.length} prompts: ${positionals.join(' | ')}.`,
      'Put the prompt in quotes.',
    );
  }
  const size = manifest.sizes[0]!;
  return {
    prompt: positionals[0] ?? '',
    seed: seedOption(values, 'seed', 1),
    steps: numberOption(values, 'steps', manifest.defaults.steps),
    sampler: choiceOption(values, 'sampler', SAMPLERS, 'euler'),
    width: numberOption(values, 'width', size.width),
    height: numberOption(values, 'height', size.height),
    guidance:
      textOption(values, 'guidance') === undefined
        ? undefined
        : numberOption(values, 'guidance', 3.5),
    cache: cacheFrom(parsed),
    preview: false,
  };
}

function memoryFrom(parsed: Arguments): BackendOptions {
  if (textOption(parsed.values, 'memory') === undefined) return {};
  return { memoryBudget: wholeOption(parsed, 'memory', 0, { min: 1 }) * 2 ** 20 };
}

/** Notes on the prompt; progress on the terminal only, in one line that ends with the run. */
function report(event: GenerateEvent, { request, path }: Job): void {
  const { stderr } = process;
  if (event.kind === 'text') {
    for (const note of promptNotes(request.prompt, event.reading)) {
      stderr.write(`${path}: ${note}\n`);
    }
  }
  if (!stderr.isTTY) return;
  if (event.kind === 'step') {
    const { step, steps, computed, secondsLeft } = event;
    const what = computed ? 'computed' : 'forecast';
    stderr.write(`\r${step + 1}/${steps} ${what}, ${secondsLeft.toFixed(1)} s left \x1b[K`);
  }
  if (event.kind === 'loading') {
    const { component, loadedBytes, bytes } = event;
    stderr.write(`\rloading the ${component}: ${Math.floor((100 * loadedBytes) / bytes)} % \x1b[K`);
  }
  if (event.kind === 'decoding') stderr.write('\r\x1b[K');
}

function summary({ width, height, stats }: GenerateResult): string {
  const { steps, computeSteps, seconds, speedup, backend, adapter, backendReason } = stats;
  const unverified = stats.unverifiedSteps.length;
  return (
    `${width}x${height}, ${computeSteps.length} of ${steps} steps computed, ` +
    (unverified > 0 ? `${unverified} of the others not verified, ` : '') +
    `${seconds.total.toFixed(2)} s, ${speedup.toFixed(2)}x as fast as computing all, ` +
    `on ${backend} (${adapter}). ${backendReason}`
  );
}

/** The run's stats, and what was written: `png` gives the file's bytes and the picture's sides. */
function statsText({ width, height, stats }: GenerateResult, png: Uint8Array): string {
  return `${JSON.stringify({ ...stats, png: { bytes: png.length, width, height } }, null, 2)}\n`;
}
