/** Differences between anchors, each as weights over the raw anchors. */
import type { Differences } from '../settings.ts';

/**
 * Rows Δ⁰ … Δ^order; row i holds the weight of every anchor, newest first, in Δⁱ.
 *
 *   Δⁱ(j) = (Δⁱ⁻¹(j) − Δⁱ⁻¹(j+1)) / gap        j = 0 is the newest anchor
 *
 * - `paper`: gap = tⱼ − tⱼ₊₁, the two newest anchors of that difference's time (HiCache's
 *   recursion, whose old differences keep the gap they were made with).
 * - `divided`: gap = (tⱼ − tⱼ₊ᵢ)/i, which makes Δⁱ = i!·f[tⱼ … tⱼ₊ᵢ].
 *
 * On even spacing the two are the same.
 *
 * @param anchors step positions, newest first, strictly falling; more than `order` of them.
 */
export function differenceWeights(
  kind: Differences,
  anchors: readonly number[],
  order: number,
): number[][] {
  // table[j] is Δⁱ(j) for the current i.
  let table: number[][] = anchors.map((_, j) => anchors.map((_, column) => (column === j ? 1 : 0)));
  const rows = [table[0]!];
  for (let i = 1; i <= order; i++) {
    table = table.slice(1).map((older, j) => {
      const gap =
        kind === 'paper' ? anchors[j]! - anchors[j + 1]! : (anchors[j]! - anchors[j + i]!) / i;
      return table[j]!.map((weight, column) => (weight - older[column]!) / gap);
    });
    rows.push(table[0]!);
  }
  return rows;
}
