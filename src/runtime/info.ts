/** What a backend reports of itself. */
import type { Precision } from '../gpu/precision.ts';
import type { BackendKind } from './kind.ts';
import type { ResidencyPlan } from './memory/residency-plan.ts';

export interface BackendInfo {
  readonly kind: BackendKind;
  /** Adapter or processor in words, as shown to people. */
  readonly adapter: string;
  /** Storage of features and weights' activations. */
  readonly precision: Precision;
  /** Why this backend runs, in one sentence. */
  readonly reason: string;
  /** The memory budget, what the model's components take of it, and which are loaded again and again. */
  readonly residency: ResidencyPlan;
}
