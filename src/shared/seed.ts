/**
 * Seeds: every whole number that `torch.manual_seed` accepts, from -2^63 to 2^64 - 1, kept exactly.
 * ComfyUI draws seeds up to 2^64 - 1, far beyond what a number holds.
 */

/** A number, or its decimal digits where a number would be rounded (beyond 2^53). */
export type Seed = number | string;

const MIN = -(2n ** 63n);
const MAX = 2n ** 64n - 1n;

/** More digits than any seed has, leading zeros included; longer text is not worth parsing. */
const MAX_DIGITS = 100;
const WHOLE_NUMBER = new RegExp(`^[+-]?\\d{1,${MAX_DIGITS}}$`);

/** The seed that a value or a text stands for, white space around it ignored; undefined if none. */
export function parseSeed(value: unknown): Seed | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : undefined;
  if (typeof value !== 'string' || !WHOLE_NUMBER.test(value.trim())) return undefined;
  const seed = wholeNumber(value);
  if (seed < MIN || seed > MAX) return undefined;
  const rounded = Number(seed);
  return Number.isSafeInteger(rounded) ? rounded : String(seed);
}

/**
 * The 32 bits that torch's CPU generator is seeded with: the seed's low ones in two's complement,
 * so -1, 2^32 - 1 and 2^64 - 1 give the same noise. (The documentation of `torch.manual_seed` maps
 * a negative seed to one less than torch does.)
 */
export function generatorSeed(seed: Seed): number {
  return Number(BigInt.asUintN(32, wholeNumber(String(seed))));
}

/** What is wrong with a seed, for the person who gave it; undefined if nothing is. */
export function seedProblem(value: unknown): string | undefined {
  if (parseSeed(value) !== undefined) return undefined;
  const range = `The seed must be a whole number from ${MIN} to ${MAX}`;
  const given = typeof value === 'string' ? value.trim() : String(value);
  if (given === '') return `${range}.`;
  return `${range}, not ${given.length > 40 ? `${given.slice(0, 40)}…` : given}.`;
}

function wholeNumber(text: string): bigint {
  return BigInt(text.trim().replace(/^\+/, ''));
}
