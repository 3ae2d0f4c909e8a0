/** Adaptive layer norm (AdaLN): scales, shifts and gates computed from the conditioning. */
import { real, type Value } from '../builder.ts';
import type { Layers } from '../layers.ts';

export type Role = 'shift' | 'scale' | 'gate';

/** epsilon of every layer norm of the transformer. */
export const EPSILON = 1e-6;

/**
 * The linear layer `module` applied to the conditioning and cut into chunks of [hidden], one
 * per role. A scale comes out as 1 + scale: the 1 is part of the stored bias, which is kept
 * in float32 for that reason.
 */
export async function modulation(
  layers: Layers,
  conditioning: Value,
  module: string,
  roles: readonly Role[],
): Promise<Value[]> {
  const { graph, weights } = layers;
  const name = `${module}.bias`;
  const [width = 0] = weights.shape(name);
  const hidden = width / roles.length;
  const stored = await weights.derived(`${name} + 1`, [width], 'float32', async () =>
    (await weights.values(name)).map(
      (value, i) => value + (roles[Math.floor(i / hidden)] === 'scale' ? 1 : 0),
    ),
  );
  const all = await layers.linearWith(conditioning, module, graph.weight(stored));
  const flat = graph.op('Reshape', [all, graph.integers([width])]);
  const sizes = graph.integers(roles.map(() => hidden));
  return graph.ops('Split', [flat, sizes], roles.length, { axis: 0 });
}

/** norm(x) * (1 + scale) + shift, as one LayerNormalization with computed scale and bias. */
export function modulatedNorm(
  { graph }: Layers,
  x: Value,
  onePlusScale: Value,
  shift: Value,
): Value {
  return graph.op('LayerNormalization', [x, onePlusScale, shift], { epsilon: real(EPSILON) });
}

/** x + gate * y */
export function gatedAdd({ graph }: Layers, x: Value, gate: Value, y: Value): Value {
  return graph.op('Add', [x, graph.op('Mul', [y, gate])]);
}
