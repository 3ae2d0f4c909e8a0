/** What will be resident and what will be loaded again and again, known before anything is loaded. */
import type { Precision } from '../../bundle/files.ts';
import type { Manifest } from '../../bundle/manifest.ts';
import { activationBytes, type Stage } from './activations.ts';
import { checkBudget } from './budget.ts';
import { evictions, fitTogether, type Room, sum } from './eviction.ts';
import { type ComponentName, componentWords, type Part, partsOf } from './parts.ts';

/**
 * - `resident`: loaded once.
 * - `swapped`: some of it is loaded again for the next picture; text encoders only for a new prompt.
 * - `streamed`: some of it is loaded again at every compute step.
 * - `unused`: not loaded; a preview decoder for which there is no room, or what nothing asks for.
 */
export type ComponentUse = 'resident' | 'swapped' | 'streamed' | 'unused';

export interface ComponentPlan {
  readonly component: ComponentName;
  /** As people call it. */
  readonly words: string;
  readonly segments: number;
  readonly bytes: number;
  readonly use: ComponentUse;
  /** Bytes that are loaded again, each time. */
  readonly reloadedBytes: number;
}

/** Plain data, all sizes in bytes. */
export interface ResidencyPlan {
  readonly budget: number;
  /** Allowance beside the components, by stage, for the largest picture that the model offers. */
  readonly activations: Readonly<Record<Stage, number>>;
  readonly components: readonly ComponentPlan[];
  /** The most that is held at once, allowance included: above the budget if even one part alone is. */
  readonly peak: number;
}

export interface Residents {
  readonly room: Room<Part>;
  readonly plan: ResidencyPlan;
}

/** @throws AppError `bad-request` if the budget is no number of bytes above 0. */
export function residencyPlan(
  manifest: Manifest,
  precision: Precision,
  budget: number,
): ResidencyPlan {
  return planResidency(manifest, precision, budget).plan;
}

/** The plan, and what carries it out. */
export function planResidency(manifest: Manifest, precision: Precision, budget: number): Residents {
  const order = partsOf(manifest, precision);
  const activations = activationBytes(manifest, precision);
  const room = { order, limit: checkBudget(budget), activations };
  const { loads, peak } = rehearse(room);
  const components = [...new Set(order.map(({ component }) => component))].map((component) =>
    planOf(
      order.filter((part) => part.component === component),
      loads,
    ),
  );
  return { room, plan: { budget, activations, components, peak } };
}

/**
 * What must stay beside a part while it runs: beside the trunk the head, which runs at every step, and
 * the other way round beside a trunk in one piece, since nothing is won by releasing it in between.
 */
export function besideOf(order: readonly Part[], { component }: Part): Part[] {
  if (component === 'trunk' || component === 'previewer') {
    return order.filter((part) => part.component === 'head');
  }
  const trunk = order.filter((part) => part.component === 'trunk');
  return component === 'head' && trunk.length === 1 ? trunk : [];
}

/** Previews are decoded only where all that denoises stays resident with their decoder. */
export function previewParts(order: readonly Part[]): Part[] | undefined {
  const parts = order.filter(({ stage }) => stage === 'denoise' || stage === 'preview');
  return parts.some(({ component }) => component === 'previewer') ? parts : undefined;
}

interface Loads {
  /** In a picture after the first, with a new prompt. */
  readonly perPicture: ReadonlySet<Part>;
  /** In a compute step after the first of such a picture. */
  readonly perStep: ReadonlySet<Part>;
  readonly used: ReadonlySet<Part>;
}

/** Goes through two pictures of two compute steps as the backends do, without loading anything. */
function rehearse(room: Room<Part>): { loads: Loads; peak: number } {
  const { order, activations } = room;
  const preview = previewParts(order);
  const previewed = preview !== undefined && fitTogether(room, preview);
  const loop = order.filter(
    ({ stage }) => stage === 'denoise' || (stage === 'preview' && previewed),
  );
  const text = order.filter(({ stage }) => stage === 'text');
  const decoder = order.filter(({ component }) => component === 'decoder');

  const resident = new Set<Part>();
  let loaded = new Set<Part>();
  let peak = 0;
  const go = (parts: readonly Part[]): ReadonlySet<Part> => {
    loaded = new Set();
    for (const part of parts) {
      const needed: [Part, ...Part[]] = [part, ...besideOf(order, part)];
      for (const evicted of evictions(room, resident, needed)) resident.delete(evicted);
      for (const each of needed.filter((candidate) => !resident.has(candidate))) {
        resident.add(each);
        loaded.add(each);
      }
      peak = Math.max(peak, sum([...resident]) + activations[part.stage]);
    }
    return loaded;
  };
  go([...text, ...loop, ...loop, ...decoder]);
  const before = go([...text, ...loop]);
  const perStep = go(loop);
  const perPicture = new Set([...before, ...perStep, ...go(decoder)]);
  return { loads: { perPicture, perStep, used: new Set([...text, ...loop, ...decoder]) }, peak };
}

function planOf(parts: readonly Part[], { perPicture, perStep, used }: Loads): ComponentPlan {
  const [{ component, segments }] = parts as [Part, ...Part[]];
  const streamed = parts.filter((part) => perStep.has(part));
  const swapped = parts.filter((part) => perPicture.has(part));
  const isUsed = parts.some((part) => used.has(part));
  const [use, reloaded] = !isUsed
    ? (['unused', []] as const)
    : streamed.length > 0
      ? (['streamed', streamed] as const)
      : swapped.length > 0
        ? (['swapped', swapped] as const)
        : (['resident', []] as const);
  return {
    component,
    words: componentWords(component),
    segments,
    bytes: sum(parts),
    use,
    reloadedBytes: sum(reloaded),
  };
}
