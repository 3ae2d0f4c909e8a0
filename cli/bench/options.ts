/** The command line of `hicache bench`. */
import { AppError } from '../../src/shared/errors.ts';
import {
  type Arguments,
  choiceOption,
  numberOption,
  readArguments,
  textOption,
  wholeOption,
} from '../lib/args.ts';
import { type Method, methodsFor, QUICK_FAMILIES } from './methods.ts';
import { BACKENDS, DEFAULT_BUNDLE } from '../lib/engine.ts';

const DEFAULT_OUT = 'docs/benchmarks';

export const BENCH_HELP = `Usage: hicache bench [options]

Makes the same pictures with every step computed and by every method that computes fewer, at several
budgets, compares them, and writes tables and plots. Each picture that is done is kept in a run file:
stop with Ctrl+C, and the same command goes on.

  --quick               a few methods at one budget, for a quick look; writes nothing without --out
  --limit N             only the first N prompts
  --prompts FILE.json   list of {prompt, seed} (a fixed list of 64)
  --steps N             sampling steps (50)
  --budgets N,N,…       compute steps to compare at (7,9,14,20 of 50; 6,10 of 28)
  --methods NAME,…      only these, as results name their families; the full run is always there
  --shift X             timestep shift in place of the model's
  --backend NAME        ${BACKENDS.join(', ')} (cpu)
  --bundle DIR          folder of a converted model (${DEFAULT_BUNDLE})
  --run FILE.jsonl      the run file (one for each model, steps, shift and backend in tmp/)
  --out DIR             where results, tables and plots go (${DEFAULT_OUT})
  --pictures DIR        write every picture, for training/evaluate.py --benchmark DIR
  --accuracy FILE.json  take in what that found
  --render              only make tables and plots, of all results in --out
`;

const OPTIONS = [
  'limit',
  'prompts',
  'steps',
  'budgets',
  'methods',
  'shift',
  'backend',
  'bundle',
  'run',
  'out',
  'pictures',
  'accuracy',
] as const;
const FLAGS = ['quick', 'render'] as const;

const DEFAULT_BUDGETS: Readonly<Record<number, readonly number[]>> = {
  28: [6, 10],
  50: [7, 9, 14, 20],
};
/** Shares of other numbers of steps. */
const BUDGET_SHARES = [0.14, 0.18, 0.28, 0.4];

export interface BenchOptions {
  readonly help: boolean;
  readonly render: boolean;
  readonly bundle: string;
  readonly backend: (typeof BACKENDS)[number];
  readonly prompts: string | undefined;
  readonly limit: number;
  readonly steps: number;
  readonly budgets: readonly number[];
  readonly methods: readonly Method[];
  /** Undefined: as the model says. */
  readonly shift: number | undefined;
  readonly run: string | undefined;
  /** Undefined: nothing is written. */
  readonly out: string | undefined;
  readonly pictures: string | undefined;
  readonly accuracy: string | undefined;
}

/** @throws AppError `bad-request` that names the option. */
export function benchOptions(args: readonly string[]): BenchOptions {
  const parsed = readArguments(args, OPTIONS, FLAGS);
  const { values, positionals } = parsed;
  if (positionals.length > 0) {
    throw refuse(`bench takes no "${positionals[0]!}".`, 'Give prompts with --prompts FILE.json.');
  }
  const quick = values.quick === true;
  const steps = wholeOption(parsed, 'steps', 50, { min: 2, max: 1000 });
  const budgets = budgetsFrom(parsed, steps, quick);
  return {
    help: values.help === true,
    render: values.render === true,
    bundle: textOption(values, 'bundle') ?? DEFAULT_BUNDLE,
    backend: choiceOption(values, 'backend', BACKENDS, 'cpu'),
    prompts: textOption(values, 'prompts'),
    limit: limitFrom(parsed),
    steps,
    budgets,
    methods: methodsFrom(parsed, methodsFor(steps, budgets), quick),
    shift: shiftFrom(parsed),
    run: textOption(values, 'run'),
    out: textOption(values, 'out') ?? (quick ? undefined : DEFAULT_OUT),
    pictures: textOption(values, 'pictures'),
    accuracy: textOption(values, 'accuracy'),
  };
}

function budgetsFrom({ values }: Arguments, steps: number, quick: boolean): number[] {
  const list = textOption(values, 'budgets');
  const shares = BUDGET_SHARES.map((share) => Math.max(2, Math.round(share * steps)));
  const usual = DEFAULT_BUDGETS[steps] ?? shares.filter((budget) => budget < steps);
  if (list === undefined) return quick ? usual.slice(0, 2).slice(-1) : [...new Set(usual)];
  const budgets = [...new Set(list.split(',').map(Number))].toSorted((a, b) => a - b);
  if (budgets.every((n) => Number.isInteger(n) && n >= 1 && n < steps)) return budgets;
  throw refuse(
    `--budgets cannot be "${list}".`,
    `It is a list of whole numbers from 1 to ${steps - 1}, such as 7,9.`,
  );
}

function methodsFrom({ values }: Arguments, all: readonly Method[], quick: boolean): Method[] {
  const list = textOption(values, 'methods')?.split(',');
  const families = new Set(all.map(({ family }) => family));
  const unknown = list?.find((family) => !families.has(family));
  if (unknown !== undefined) {
    throw refuse(`There is no method "${unknown}".`, `Methods: ${[...families].join(', ')}.`);
  }
  const wanted = list ?? (quick ? QUICK_FAMILIES : [...families]);
  return all.filter(({ family, group }) => group === 'reference' || wanted.includes(family));
}

function limitFrom(parsed: Arguments): number {
  const all = textOption(parsed.values, 'limit') === undefined;
  return all ? Infinity : wholeOption(parsed, 'limit', 10, { min: 1 });
}

function shiftFrom({ values }: Arguments): number | undefined {
  if (textOption(values, 'shift') === undefined) return undefined;
  const shift = numberOption(values, 'shift', 1);
  if (shift > 0) return shift;
  throw refuse(`--shift must be above 0, not ${shift}.`, 'FLUX.1-dev uses about 3, --shift 3.');
}

function refuse(message: string, hint: string): AppError {
  return new AppError('bad-request', message, hint);
}
