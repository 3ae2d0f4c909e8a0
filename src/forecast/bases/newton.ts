/** Exact polynomial extrapolation, whatever the spacing. */

/**
 * Weights of the polynomial of degree `order` through the newest `order + 1` anchors: Newton's
 * divided differences multiplied out, which is Lagrange's form. Inside the anchors' range it
 * interpolates.
 *
 * @param anchors positions, newest first, all different, more than `order` of them.
 */
export function newtonWeights(anchors: readonly number[], order: number, target: number): number[] {
  const nodes = anchors.slice(0, order + 1);
  return nodes.map((node, j) =>
    nodes.reduce(
      (weight, other, i) => (i === j ? weight : (weight * (target - other)) / (node - other)),
      1,
    ),
  );
}
