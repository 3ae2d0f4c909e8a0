/**
 * Floating-point operations of one call of the transformer, counted from its sizes. A matrix
 * product of m tokens counts 2·m·inputs·outputs; norms, activations and additions are left out,
 * as in the published figures.
 *
 * With hidden width D, N image tokens, T text tokens and L = N + T:
 * - embedding of time and prompt: 256·D + D² + pooledWidth·D + D², and of a guidance scale, where the
 *   model takes one, 256·D + D²
 * - double block: 12·D²·L for the projections (4·D²) and the MLP (8·D²) of both streams,
 *   2·L²·D for the attention, 12·D² for the modulation of both
 * - single block: 12·D²·L, 2·L²·D, and 3·D² for the modulation
 * - trunk: embedding + latentWidth·D·N + textWidth·D·T + all blocks
 * - head: embedding + 2·D² + latentWidth·D·N
 *
 * each times 2, for a multiplication and an addition.
 */
import type { Manifest } from '../../src/bundle/manifest.ts';

/** Width of the sinusoid of the flow time, and of that of the guidance scale. */
const TIME_WIDTH = 256;

export interface CallFlops {
  readonly trunk: number;
  readonly head: number;
  /** One weighted addition, or one inner product, of whole features. */
  readonly feature: number;
}

/** How often a run did what costs. */
export interface Calls {
  readonly trunk: number;
  readonly head: number;
  /** Anchors added up in forecasts and inner products taken in verification. */
  readonly feature: number;
}

export function callFlops(
  { transformer, text }: Pick<Manifest, 'transformer' | 'text'>,
  imageTokens: number,
): CallFlops {
  const { hidden, doubleBlocks, singleBlocks, latentWidth, textWidth, pooledWidth, guidance } =
    transformer;
  const tokens = imageTokens + text.t5Tokens;
  const square = hidden * hidden;
  const sinusoid = TIME_WIDTH * hidden + square;
  const embedding = sinusoid + pooledWidth * hidden + square + (guidance ? sinusoid : 0);
  const block = 12 * square * tokens + 2 * tokens * tokens * hidden;
  const trunk =
    embedding +
    latentWidth * hidden * imageTokens +
    textWidth * hidden * text.t5Tokens +
    doubleBlocks * (block + 12 * square) +
    singleBlocks * (block + 3 * square);
  const head = embedding + 2 * square + latentWidth * hidden * imageTokens;
  return { trunk: 2 * trunk, head: 2 * head, feature: 2 * imageTokens * hidden };
}

export function runFlops(calls: Calls, flops: CallFlops): number {
  return calls.trunk * flops.trunk + calls.head * flops.head + calls.feature * flops.feature;
}
