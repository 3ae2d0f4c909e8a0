/** `hicache choices`: how good the automatic basis is, against choices that know more or less. */
import process from 'node:process';
import { CANDIDATES, LINEAR, REUSE } from '../../src/forecast/verification/candidates.ts';
import { Gram } from '../../src/forecast/verification/gram.ts';
import type { Verification } from '../../src/forecast/policy.ts';
import { positionsByAbscissa } from '../../src/forecast/positions.ts';
import {
  BASES_WITH_ORDER,
  BASES_WITH_SIGMA,
  type CacheSettings,
  type Forecaster,
  PUBLISHED,
} from '../../src/forecast/settings.ts';
import { forecastWeights } from '../../src/forecast/weights.ts';
import { generate } from '../../src/sampling/generate.ts';
import { choiceOption, readArguments, textOption, wholeOption } from '../lib/args.ts';
import { readCases } from '../bench/prompts.ts';
import { intervalFor } from '../bench/schedules.ts';
import { BACKENDS, DEFAULT_BUNDLE, startEngine } from '../lib/engine.ts';
import { openBundleFolder } from '../../src/node/folder-bundle.ts';
import { mean } from '../../src/shared/statistics.ts';

const HELP = `Usage: hicache choices [options]

Makes pictures with the automatic basis on a fixed interval and compares, at every compute step, the
error of what it chose with what other rules would have chosen on the same anchors.

  --limit N             only the first N prompts of the benchmark's list (64)
  --steps N             sampling steps (50)
  --budget N            compute steps (9)
  --bundle DIR          folder of a converted model (${DEFAULT_BUNDLE})
  --backend NAME        ${BACKENDS.join(', ')} (cpu)
`;

/** Anchors before a compute step from which on rules have something to choose by. */
const LEAST_ANCHORS = 3;

/** One compute step: what every candidate would have erred, and what two rules chose did. */
export interface Occasion {
  readonly errors: readonly number[];
  readonly automatic: number;
  readonly backCast: number;
}

export async function choicesCommand(args: string[]): Promise<void> {
  const parsed = readArguments(args, ['limit', 'steps', 'budget', 'bundle', 'backend']);
  const { values } = parsed;
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const limit = wholeOption(parsed, 'limit', 64, { min: 1 });
  const steps = wholeOption(parsed, 'steps', 50, { min: 4, max: 1000 });
  const budget = wholeOption(parsed, 'budget', 9, { min: LEAST_ANCHORS + 1, max: steps });
  const bundle = await openBundleFolder(textOption(values, 'bundle') ?? DEFAULT_BUNDLE);
  const engine = await startEngine(bundle, choiceOption(values, 'backend', BACKENDS, 'cpu'));
  const cache: CacheSettings = {
    ...PUBLISHED,
    ...intervalFor(steps, budget),
    basis: 'auto',
    differences: 'divided',
    abscissa: 'flow',
  };
  const runs: Occasion[][] = [];
  try {
    for (const { prompt, seed } of (await readCases()).slice(0, limit)) {
      const size = bundle.manifest.sizes[0]!;
      const { stats } = await generate(
        engine,
        { prompt, seed, ...size, steps, sampler: 'euler', cache, preview: false },
        {
          settings: () => cache,
          signal: new AbortController().signal,
          onEvent: () => undefined,
        },
      );
      runs.push(occasionsOf(stats));
    }
  } finally {
    await engine.backend.dispose();
  }
  const rows = summary(runs).map(([name, error]) => `| ${name} | ${error.toFixed(4)} |\n`);
  const { interval, firstEnhance } = cache;
  process.stdout.write(
    `${runs.length} prompts, ${steps} steps, interval ${interval}, first ${firstEnhance}, ` +
      `${runs.flat().length} compute steps\n\n| choice | error |\n| --- | ---: |\n${rows.join('')}`,
  );
}

/** What a run's verifications say about choices. */
export function occasionsOf({
  steps,
  flowTimes,
  verifications,
}: {
  readonly steps: number;
  readonly flowTimes: readonly number[];
  readonly verifications: readonly Verification[];
}): Occasion[] {
  const positions = positionsByAbscissa(steps, flowTimes);
  return verifications.flatMap(({ errors, served, anchors, gram }) => {
    const older = anchors.length - 1;
    if (!served || older < LEAST_ANCHORS) return [];
    const backCasts = CANDIDATES.map((candidate) =>
      backCastError(
        candidate,
        anchors.slice(1).map((step) => positions[candidate.abscissa][step]!),
        new Gram(gram, older),
      ),
    );
    const automatic = served.error;
    return [{ errors, automatic, backCast: errors[backCasts.indexOf(Math.min(...backCasts))]! }];
  });
}

/**
 * In-window back-casting: the error with which the oldest anchor follows from the newer ones, time
 * reversed. It needs nothing but the anchors themselves, and no forecast that was really due.
 *
 * @param positions of the anchors before the newest, A₁ first.
 * @param gram of A₀ and those.
 */
export function backCastError(
  forecaster: Forecaster,
  positions: readonly number[],
  gram: Gram,
): number {
  // Time reversed, the second oldest anchor is the newest.
  const mirrored = positions.map((position) => -position).reverse();
  const [target, ...known] = mirrored as [number, ...number[]];
  const weights = forecastWeights(forecaster, known, target, {
    span: [Math.min(...mirrored), Math.max(...mirrored)],
    gram: null,
  });
  const byAnchor = new Array<number>(positions.length + 1).fill(0);
  byAnchor[positions.length] = -1;
  weights.forEach((weight, j) => (byAnchor[positions.length - 1 - j]! += weight));
  return gram.relativeNorm(byAnchor);
}

/** Geometric means over all compute steps of all runs, by rule. */
export function summary(runs: readonly (readonly Occasion[])[]): [rule: string, error: number][] {
  const all = runs.flat();
  const fixed = (occasions: readonly Occasion[]): number[] =>
    CANDIDATES.map((_, i) => logMean(occasions.map(({ errors }) => errors[i]!)));
  const everywhere = fixed(all);
  const best = everywhere.indexOf(Math.min(...everywhere));
  const perRun = runs
    .filter((occasions) => occasions.length > 0)
    .map((occasions) => Math.min(...fixed(occasions)));
  const rules: [string, number][] = [
    ['reuse', everywhere[CANDIDATES.indexOf(REUSE)]!],
    ['straight line in flow time', everywhere[CANDIDATES.indexOf(LINEAR)]!],
    ['in-window back-casting', logMean(all.map(({ backCast }) => backCast))],
    ['automatic', logMean(all.map(({ automatic }) => automatic))],
    [`best for all runs, in hindsight (${nameOf(CANDIDATES[best]!)})`, everywhere[best]!],
    ['best for each run, in hindsight', mean(perRun)],
    [
      'best for each compute step, in hindsight',
      logMean(all.map(({ errors }) => Math.min(...errors))),
    ],
  ];
  return rules.map(([name, error]) => [name, Math.exp(error)]);
}

function nameOf({ basis, order, sigma, abscissa }: Forecaster): string {
  const parts = [
    BASES_WITH_ORDER.includes(basis) ? `${basis} ${order}` : basis,
    ...(BASES_WITH_SIGMA.includes(basis) ? [`sigma ${sigma.toFixed(2)}`] : []),
    abscissa === 'flow' ? 'in flow time' : 'in steps',
  ];
  return parts.join(', ');
}

const FLOOR = 1e-9;

function logMean(values: readonly number[]): number {
  return mean(values.map((value) => Math.log(Math.max(value, FLOOR))));
}
