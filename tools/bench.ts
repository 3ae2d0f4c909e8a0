/** `hicache bench`: what forecasting saves and what it costs, against the honest alternatives. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';
import { plannedComputeSteps } from '../src/cache/schedule.ts';
import type { CacheSettings } from '../src/cache/settings.ts';
import { AppError } from '../src/errors.ts';
import type { GenerateRequest } from '../src/pipeline/job.ts';
import { checkRequest } from '../src/pipeline/request.ts';
import { choiceOption, numberOption, readArguments, textOption } from './args.ts';
import { compare, type Method, type MethodResult } from './bench-run.ts';
import { CACHE_HELP, CACHE_OPTIONS, cacheFrom } from './cache-options.ts';
import { BACKENDS, DEFAULT_BUNDLE, startEngine } from './engine.ts';
import { openBundleFolder } from './folder-bundle.ts';

const HELP = `Usage: hicache bench [options]

Makes the same pictures with every step computed, with forecasts of several bases, and with
plain Euler steps only as many as the forecasting runs compute, all in turn.

  --prompts N           so many of the model's example prompts (3)
  --seed N              of the first prompt; the others count on (1)
  --steps N             sampling steps (50)
${CACHE_HELP}
  --backend NAME        ${BACKENDS.join(', ')} (cpu)
  --bundle DIR          folder of a converted model (${DEFAULT_BUNDLE})
  --out FILE.json       write every figure
`;

const OPTIONS = ['prompts', 'seed', 'steps', 'backend', 'bundle', 'out', ...CACHE_OPTIONS];

export async function benchCommand(args: string[]): Promise<void> {
  const parsed = readArguments(args, OPTIONS);
  const { values } = parsed;
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const choice = choiceOption(values, 'backend', BACKENDS, 'cpu');
  const bundle = await openBundleFolder(textOption(values, 'bundle') ?? DEFAULT_BUNDLE);
  const { manifest } = bundle;
  const cache = cacheFrom(parsed);
  const requests = manifest.examples
    .slice(0, numberOption(values, 'prompts', 3))
    .map((prompt, i): GenerateRequest => ({
      prompt,
      seed: numberOption(values, 'seed', 1) + i,
      steps: numberOption(values, 'steps', 50),
      ...manifest.sizes[0]!,
      cache,
      preview: false,
    }));
  if (requests.length === 0) {
    throw new AppError(
      'bad-request',
      'There is no prompt to measure with.',
      `Use --prompts 1 or more; this model has ${manifest.examples.length} example prompts.`,
    );
  }
  for (const request of requests) checkRequest(request, manifest);

  const engine = await startEngine(bundle, choice);
  try {
    const steps = numberOption(values, 'steps', 50);
    const results = await compare(engine, requests, methodsFor(steps, cache), (line) =>
      process.stderr.write(`${line}\n`),
    );
    process.stdout.write(`${engine.backend.info.kind}: ${engine.backend.info.adapter}\n`);
    process.stdout.write(table(results));
    const out = textOption(values, 'out');
    if (out !== undefined) {
      await mkdir(dirname(out), { recursive: true });
      const file = { model: manifest.title, backend: engine.backend.info, requests, results };
      await writeFile(out, `${JSON.stringify(file, null, 2)}\n`);
    }
  } finally {
    await engine.backend.dispose();
  }
}

/** On the same schedule as the basis under test. */
const OTHER_BASES = ['taylor', 'reuse'] as const;

/** The first computes everything: it is what the others are compared with. */
function methodsFor(steps: number, cache: CacheSettings): Method[] {
  const none: CacheSettings = { ...cache, basis: 'none' };
  const computed = plannedComputeSteps(steps, cache).length;
  return [
    { name: `${steps} steps, all computed`, steps, cache: none },
    { name: `${cache.basis}, interval ${cache.interval}`, steps, cache },
    ...OTHER_BASES.filter((basis) => basis !== cache.basis).map((basis) => ({
      name: `${basis}, interval ${cache.interval}`,
      steps,
      cache: { ...cache, basis },
    })),
    { name: `${computed} steps, all computed`, steps: computed, cache: none },
  ];
}

const COLUMNS: [title: string, cell: (result: MethodResult) => string][] = [
  ['computed', ({ computeSteps, steps }) => `${computeSteps}/${steps}`],
  ['seconds', ({ seconds }) => seconds.total.toFixed(2)],
  ['total x', ({ totalRatio }) => totalRatio.toFixed(2)],
  ['denoise x', ({ denoiseRatio }) => denoiseRatio.toFixed(2)],
  [
    'forecast %',
    ({ forecastCost }) => (forecastCost === null ? '-' : (100 * forecastCost).toFixed(1)),
  ],
  ['PSNR dB', ({ psnr }) => (psnr === null ? '-' : psnr.toFixed(2))],
];

function table(results: readonly MethodResult[]): string {
  const rows = [
    ['method', ...COLUMNS.map(([title]) => title)],
    ...results.map((result) => [result.name, ...COLUMNS.map(([, cell]) => cell(result))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ');
  return `${rows.map(line).join('\n')}\n`;
}
