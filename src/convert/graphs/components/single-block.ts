/** diffusers' FluxSingleTransformerBlock: text and image as one sequence. */
import type { Value } from '../builder.ts';
import type { Layers } from '../layers.ts';
import { attend, project, type Rotary } from './attention.ts';
import { gatedAdd, modulatedNorm, modulation } from './modulation.ts';

/** `x`: [1, text tokens + image tokens, hidden]. */
export async function singleBlock(
  layers: Layers,
  x: Value,
  conditioning: Value,
  rotary: Rotary,
  heads: number,
  module: string,
): Promise<Value> {
  const { graph } = layers;
  const attn = `${module}.attn`;
  const chunks = await modulation(layers, conditioning, `${module}.norm.linear`, [
    'shift',
    'scale',
    'gate',
  ]);
  const [shift, onePlusScale, gate] = chunks as [Value, Value, Value];
  graph.within(`${module}.norm`);
  const normed = modulatedNorm(layers, x, onePlusScale, shift);
  const wide = graph.op('FastGelu', [await layers.linear(normed, `${module}.proj_mlp`)]);
  const names = {
    query: `${attn}.to_q`,
    key: `${attn}.to_k`,
    value: `${attn}.to_v`,
    queryNorm: `${attn}.norm_q`,
    keyNorm: `${attn}.norm_k`,
  };
  const attended = attend(layers, await project(layers, normed, names, heads), rotary, heads, attn);
  const both = graph.op('Concat', [attended, wide], { axis: 2 });
  const next = gatedAdd(layers, x, gate, await layers.linear(both, `${module}.proj_out`));
  // As in the double blocks.
  return layers.finite(next);
}
