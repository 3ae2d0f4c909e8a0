/** Command lines: options with their checks, and errors that say which option is wrong. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { AppError, messageOf } from '../../src/shared/errors.ts';
import { parseSeed, type Seed, seedProblem } from '../../src/shared/seed.ts';

type Values = Readonly<Record<string, string | boolean | undefined>>;

export interface Arguments {
  readonly positionals: readonly string[];
  readonly values: Values;
}

/**
 * Splits a command line. Every option named in `options` takes a value, those in `flags` take
 * none; `--help` is always known.
 * @throws AppError `bad-request` for an option that is not known or lacks its value.
 */
export function readArguments(
  args: readonly string[],
  options: readonly string[],
  flags: readonly string[] = [],
): Arguments {
  return parseOptions(args, {
    help: { type: 'boolean', short: 'h' },
    ...Object.fromEntries(flags.map((name) => [name, { type: 'boolean' as const }])),
    ...Object.fromEntries(options.map((name) => [name, { type: 'string' as const }])),
  });
}

/**
 * The same for options of all kinds, as Node's parser takes them. Unlike Node's, it reads a negative
 * number after an option as its value.
 */
export function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: withNegativeNumbers(args, options), allowPositionals: true, options });
  } catch (cause) {
    const message = messageOf(cause);
    throw new AppError('bad-request', message, 'Ask for --help to see the options.', { cause });
  }
}

/** `--seed -1` as `--seed=-1`: no option begins with a digit, so nothing else can be meant. */
function withNegativeNumbers(
  args: readonly string[],
  options: NonNullable<ParseArgsConfig['options']>,
): string[] {
  const joined: string[] = [];
  const end = args.indexOf('--');
  for (const [i, arg] of args.entries()) {
    const option = joined.at(-1) ?? '';
    const takesText = options[option.slice(2)]?.type === 'string' && option.startsWith('--');
    const inOptions = end < 0 || i < end;
    if (inOptions && takesText && /^-[\d.]/.test(arg))
      joined[joined.length - 1] = `${option}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

export function textOption(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws AppError `bad-request` if it is not one of `allowed`. */
export function choiceOption<T extends string>(
  values: Values,
  name: string,
  allowed: readonly T[],
  otherwise: T,
): T {
  const value = textOption(values, name) ?? otherwise;
  const choice = allowed.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw new AppError(
    'bad-request',
    `--${name} cannot be "${value}".`,
    `It is one of ${allowed.join(', ')}.`,
  );
}

/** @throws AppError `bad-request` if it is not a number. Its range is the engine's to check. */
export function numberOption(values: Values, name: string, otherwise: number): number {
  const text = textOption(values, name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new AppError(
    'bad-request',
    `--${name} must be a number, not "${text}".`,
    `For example --${name} ${otherwise}.`,
  );
}

/** @throws AppError `bad-request` if it is not a seed. */
export function seedOption(values: Values, name: string, otherwise: Seed): Seed {
  const text = textOption(values, name);
  if (text === undefined) return otherwise;
  const seed = parseSeed(text);
  if (seed !== undefined) return seed;
  throw new AppError(
    'bad-request',
    `--${name}: ${seedProblem(text)}`,
    `For example --${name} ${otherwise}.`,
  );
}

/** @throws AppError `bad-request` if it is not a whole number in the range. */
export function wholeOption(
  { values }: Arguments,
  name: string,
  otherwise: number,
  { min, max = Infinity }: { readonly min: number; readonly max?: number },
): number {
  const value = numberOption(values, name, otherwise);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const range = max === Infinity ? `from ${min}` : `from ${min} to ${max}`;
  const message = `--${name} must be a whole number ${range}, not ${value}.`;
  throw new AppError('bad-request', message, 'Ask for --help.');
}
