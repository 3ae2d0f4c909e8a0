/** Which parts go when others must come. */
import type { Stage } from './activations.ts';

export interface Sized {
  readonly bytes: number;
  readonly stage: Stage;
}

/** Stages whose parts are used again and again before the next stage begins. */
const LOOP: ReadonlySet<Stage> = new Set(['denoise', 'preview']);

/** What a picture needs, in its order, and the memory that there is for it. */
export interface Room<P extends Sized> {
  readonly order: readonly P[];
  /** Bytes for parts and activations together. */
  readonly limit: number;
  /** Bytes beside the parts, by stage. */
  readonly activations: Readonly<Record<Stage, number>>;
}

/**
 * What of `resident` must go so that `needed` fits, the part that is used again latest first, which
 * keeps what is loaded again few. So the trunk stays while text is encoded if it can, and where not
 * all of its segments fit, a step still finds some of those that the step before has left.
 *
 * @param needed the part that runs next, and what must stay beside it
 */
export function evictions<P extends Sized>(
  { order, limit, activations }: Room<P>,
  resident: Iterable<P>,
  needed: readonly [P, ...P[]],
): P[] {
  const [current] = needed;
  const candidates = [...resident].filter((part) => !needed.includes(part));
  candidates.sort((a, b) => nextUse(order, b, current) - nextUse(order, a, current));
  let bytes = sum(needed) + sum(candidates) + activations[current.stage];
  const evicted: P[] = [];
  for (const part of candidates) {
    if (bytes <= limit) break;
    evicted.push(part);
    bytes -= part.bytes;
  }
  return evicted;
}

/** Whether all of them can be resident together while the last of them runs. */
export function fitTogether<P extends Sized>(
  { limit, activations }: Room<P>,
  parts: readonly P[],
): boolean {
  const most = Math.max(...parts.map(({ stage }) => activations[stage]));
  return sum(parts) + most <= limit;
}

/** How many uses of parts away the next use of `part` is, when `current` is used. */
function nextUse<P extends Sized>(order: readonly P[], part: P, current: P): number {
  const distance = order.indexOf(part) - order.indexOf(current);
  if (!LOOP.has(current.stage)) return modulo(distance, order.length);
  const loop = order.filter(({ stage }) => LOOP.has(stage));
  if (LOOP.has(part.stage)) {
    return modulo(loop.indexOf(part) - loop.indexOf(current), loop.length);
  }
  // The loop may go round many times before anything else is used.
  return loop.length + modulo(distance, order.length);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

export function sum(parts: readonly Sized[]): number {
  return parts.reduce((total, { bytes }) => total + bytes, 0);
}
