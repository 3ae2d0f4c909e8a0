/** Keeps prompt, steps, sampler, seed and cache settings between visits. */
import { effect } from '@preact/signals';
import { get, set } from 'idb-keyval';
import { type CacheSettings, settingsProblems } from '../cache/settings.ts';
import { SAMPLER_NAMES } from './format.ts';
import { cache, prompt, randomSeed, sampler, seed, steps } from './state.ts';
import { seedProblem, stepsProblem } from './validate.ts';

const KEY = 'settings';
const PAUSE_MS = 300;

interface Remembered {
  readonly prompt: string;
  readonly steps: number;
  readonly sampler: typeof sampler.value;
  readonly seed: number;
  readonly randomSeed: boolean;
  readonly cache: CacheSettings;
}

/** Without storage (a private window, blocked cookies) the page starts fresh every time. */
export async function recall(): Promise<void> {
  const known = await get<Partial<Remembered>>(KEY).catch(() => undefined);
  // Whoever types faster than storage answers keeps what they typed.
  if (!known || typeof known !== 'object' || prompt.value !== '') return;
  if (typeof known.prompt === 'string') prompt.value = known.prompt;
  if (known.steps !== undefined && !stepsProblem(known.steps)) steps.value = known.steps;
  if (known.sampler && known.sampler in SAMPLER_NAMES) sampler.value = known.sampler;
  if (known.seed !== undefined && !seedProblem(known.seed)) seed.value = known.seed;
  if (typeof known.randomSeed === 'boolean') randomSeed.value = known.randomSeed;
  if (known.cache && settingsProblems(known.cache).length === 0) cache.value = known.cache;
}

/** From now on writes every change down, a moment after the last one. */
export function remember(): void {
  let timer: ReturnType<typeof setTimeout>;
  effect(() => {
    const current: Remembered = {
      prompt: prompt.value,
      steps: steps.value,
      sampler: sampler.value,
      seed: seed.value,
      randomSeed: randomSeed.value,
      cache: cache.value,
    };
    clearTimeout(timer);
    timer = setTimeout(() => void set(KEY, current).catch(() => undefined), PAUSE_MS);
  });
}
