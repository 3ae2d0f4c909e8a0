/** The command line of `hicache calibrate`. */
import {
  type Arguments,
  choiceOption,
  readArguments,
  textOption,
  wholeOption,
} from '../lib/args.ts';
import { AppError } from '../../src/shared/errors.ts';
import { CALIBRATED_STEPS } from './run.ts';
import { BACKENDS, DEFAULT_BUNDLE } from '../lib/engine.ts';

export const CALIBRATE_HELP = `Usage: hicache calibrate [options]

Measures on some pictures how much an error at each step changes the result, and searches where a
given number of steps is best computed, 5 to 25 of 50 and 4 to 14 of 28. What it finds goes into the
bundle's manifest; budgets, tolerances and presets then go by it. Without it they go by a generic
model. Every picture that is done is kept in a run file: stop with Ctrl+C, and the same command
goes on.

  --bundle DIR          folder of a converted model (${DEFAULT_BUNDLE})
  --pictures N          pictures of the model's example prompts (12)
  --prompts FILE.json   other pictures, a list of {prompt, seed}
  --steps N,N           plans for runs of so many steps only (${CALIBRATED_STEPS.join(',')})
  --rounds N            changes tried to the model that all plans are made with (40)
  --moves N             changes tried to each plan (12)
  --backend NAME        ${BACKENDS.join(', ')} (auto)
  --run FILE.jsonl      the run file (one for each model in tmp/)
`;

export interface CalibrateOptions {
  readonly help: boolean;
  readonly bundle: string;
  readonly pictures: number;
  readonly prompts: string | undefined;
  readonly steps: readonly number[];
  readonly rounds: number;
  readonly moves: number;
  readonly backend: (typeof BACKENDS)[number];
  readonly run: string | undefined;
}

const OPTIONS = [
  'bundle',
  'pictures',
  'prompts',
  'steps',
  'rounds',
  'moves',
  'backend',
  'run',
] as const;

/** @throws AppError `bad-request` that names the option. */
export function calibrateOptions(args: readonly string[]): CalibrateOptions {
  const parsed = readArguments(args, OPTIONS);
  const { values } = parsed;
  return {
    help: values.help === true,
    bundle: textOption(values, 'bundle') ?? DEFAULT_BUNDLE,
    pictures: wholeOption(parsed, 'pictures', 12, { min: 4, max: 1000 }),
    prompts: textOption(values, 'prompts'),
    steps: stepsFrom(parsed),
    rounds: wholeOption(parsed, 'rounds', 40, { min: 0, max: 10_000 }),
    moves: wholeOption(parsed, 'moves', 12, { min: 0, max: 10_000 }),
    backend: choiceOption(values, 'backend', BACKENDS, 'auto'),
    run: textOption(values, 'run'),
  };
}

function stepsFrom({ values }: Arguments): readonly number[] {
  const list = textOption(values, 'steps');
  const steps = list?.split(',').map(Number) ?? CALIBRATED_STEPS;
  if (steps.every((count) => CALIBRATED_STEPS.includes(count))) return steps;
  throw new AppError(
    'bad-request',
    `--steps cannot be "${list}".`,
    `Plans are made for runs of ${CALIBRATED_STEPS.join(' and ')} steps.`,
  );
}
