/** Keeps the model, prompt, steps, guidance, sampler, seed and cache settings between visits. */
import { effect } from '@preact/signals';
import { type CacheSettings, settingsProblems } from '../forecast/settings.ts';
import type { ModelAddress } from '../workers/engine/api.ts';
import { SAMPLER_NAMES } from './controls/format.ts';
import { BUILT_IN } from './models/choice.ts';
import { budgetProblem } from './models/budget.ts';
import * as state from './state.ts';
import { read, write } from './storage.ts';
import { guidanceProblem, seedProblem, stepsProblem } from './validate.ts';

const KEY = 'settings';
const PAUSE_MS = 300;

interface Remembered {
  /** Of the stored model, undefined for the built-in one. */
  readonly modelId: string | undefined;
  readonly memoryBudget: number | undefined;
  readonly prompt: string;
  readonly steps: number;
  readonly guidance: number;
  readonly chosenFor: string;
  readonly sampler: typeof state.sampler.value;
  /** A number where an earlier version of the page wrote it. */
  readonly seed: string | number;
  readonly randomSeed: boolean;
  readonly cache: CacheSettings;
}

/** The model that was used last. A page whose address names one does not change it. */
let kept: string | undefined;

/** Sets what was set at the last visit; gives the model of it. Without storage the page starts fresh. */
export async function recall(): Promise<ModelAddress> {
  const known = await read<Partial<Remembered>>(KEY);
  if (!known || typeof known !== 'object') return BUILT_IN;
  const { modelId, memoryBudget } = known;
  if (memoryBudget !== undefined && !budgetProblem(memoryBudget)) {
    state.memoryBudget.value = memoryBudget;
  }
  // Whoever types faster than storage answers keeps what they typed.
  if (state.prompt.value === '') recallSettings(known);
  if (typeof modelId !== 'string') return BUILT_IN;
  kept = modelId;
  return { kind: 'stored', id: modelId };
}

function recallSettings(known: Partial<Remembered>): void {
  const { prompt, steps, guidance, chosenFor, sampler, seed, randomSeed, cache } = known;
  if (typeof prompt === 'string') state.prompt.value = prompt;
  if (steps !== undefined && !stepsProblem(steps)) state.steps.value = steps;
  if (guidance !== undefined && !guidanceProblem(guidance)) state.guidance.value = guidance;
  if (typeof chosenFor === 'string') state.chosenFor.value = chosenFor;
  if (sampler && sampler in SAMPLER_NAMES) state.sampler.value = sampler;
  if (seed !== undefined && !seedProblem(seed)) state.seed.value = String(seed);
  if (typeof randomSeed === 'boolean') state.randomSeed.value = randomSeed;
  if (cache && settingsProblems(cache).length === 0) state.cache.value = cache;
}

/**
 * From now on writes every change down: another model or memory at once, since the page may be left
 * right after that; what is typed or dragged, a moment after the last change.
 */
export function remember(): void {
  let timer: ReturnType<typeof setTimeout>;
  let chosen: string | undefined;
  effect(() => {
    const model = state.model.value;
    if (model.kind === 'stored') kept = model.id;
    else if (model.url === BUILT_IN.url) kept = undefined;
    const current: Remembered = {
      modelId: kept,
      memoryBudget: state.memoryBudget.value,
      prompt: state.prompt.value,
      steps: state.steps.value,
      guidance: state.guidance.value,
      chosenFor: state.chosenFor.value,
      sampler: state.sampler.value,
      seed: state.seed.value,
      randomSeed: state.randomSeed.value,
      cache: state.cache.value,
    };
    const keep = () => void write(KEY, current);
    const before = chosen;
    chosen = `${current.modelId} ${current.memoryBudget}`;
    clearTimeout(timer);
    if (before !== undefined && chosen !== before) keep();
    else timer = setTimeout(keep, PAUSE_MS);
  });
}
