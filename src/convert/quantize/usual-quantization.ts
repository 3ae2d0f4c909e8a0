/** How a model is stored unless somebody says otherwise. */
import type { FluxConfig } from '../checkpoint/configs.ts';
import type { Quantization } from './precision-policy.ts';

/** Below this many weights in the blocks 8 bits cost little, and small models need them more. */
const LARGE = 1e9;

/** Squares of the hidden width: modulation, attention and feed-forward, of two streams or of one. */
const DOUBLE_BLOCK = 2 * (6 + 4 + 8);
const SINGLE_BLOCK = 3 + 3 + 4 + 5;

export function usualQuantization(flux: FluxConfig): Quantization {
  const hidden = flux.num_attention_heads * flux.attention_head_dim;
  const squares = DOUBLE_BLOCK * flux.num_layers + SINGLE_BLOCK * flux.num_single_layers;
  return squares * hidden ** 2 < LARGE ? 'mixed' : 'int4';
}
