/** What is wrong with a request before it is sent, in words for the person who typed it. */
import { type CacheSettings, settingsProblems } from '../forecast/settings.ts';
import { GUIDANCE, STEPS } from '../shared/limits.ts';
import { parseSeed } from '../shared/seed.ts';

export { seedProblem } from '../shared/seed.ts';

export function promptProblem(prompt: string): string | undefined {
  return prompt.trim() === '' ? 'The prompt is empty.' : undefined;
}

export const stepsProblem = (steps: number) => wholeNumberProblem('Steps', steps, STEPS);

/** What somebody who knows -1 as "random" from another program should know. */
export function seedNote(text: string): string | undefined {
  if (parseSeed(text) !== -1) return undefined;
  return '-1 is a seed like any other here. For a random one, tick the box below.';
}

export function guidanceProblem(guidance: number): string | undefined {
  const { min, max } = GUIDANCE;
  if (guidance >= min && guidance <= max) return undefined;
  return withoutNaN(`Guidance must be a number from ${min} to ${max}, not ${guidance}.`);
}

function wholeNumberProblem(
  name: string,
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): string | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined;
  return withoutNaN(`${name} must be a whole number from ${min} to ${max}, not ${value}.`);
}

export function cacheProblem(cache: CacheSettings): string | undefined {
  const [first] = settingsProblems(cache);
  return first && withoutNaN(`${first.charAt(0).toUpperCase()}${first.slice(1)}.`);
}

/** A field that holds no number says enough by itself. */
const withoutNaN = (sentence: string) => sentence.replace(', not NaN', '');
