/** What a backend may take, as its maker says. */
import type { BackendKind } from './kind.ts';
import { checkBudget, defaultBudget } from './memory/budget.ts';
import type { BackendHost } from './host.ts';

export interface BackendLimits {
  /** Bytes for weights and activations. */
  readonly memoryBudget: number;
  /** Encoded prompts that are kept after their run. */
  readonly cachedTexts: number;
}

/** All may be left out: `memoryBudget` for one that suits the machine (`defaultBudget`). */
export type BackendOptions = Partial<BackendLimits>;

/** A prompt of FLUX.1 takes 8 MiB. */
const CACHED_TEXTS = 4;

/** @throws AppError `bad-request` for a budget that is none. */
export function limitsFor(
  kind: BackendKind,
  { memoryBytes }: Pick<BackendHost, 'memoryBytes'>,
  { memoryBudget, cachedTexts = CACHED_TEXTS }: BackendOptions,
): BackendLimits {
  return {
    memoryBudget: checkBudget(memoryBudget ?? defaultBudget(kind, memoryBytes)),
    cachedTexts,
  };
}
