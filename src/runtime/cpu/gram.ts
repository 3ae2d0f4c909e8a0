/**
 * Inner products of e₀ = A₀ and of the successive differences eᵢ = Aᵢ₋₁ - Aᵢ: the upper triangle
 * row by row, (0,0), (0,1) … (1,1) …, as `DenoiseRun.gram` gives it; the reference for
 * shaders/gram.wgsl. Adds in float64 and rounds at the end.
 *
 * @param anchors newest first, at least one, all equally long
 */
export function gram(anchors: readonly Float32Array[]): Float32Array {
  const [newest] = anchors;
  if (!newest) throw new RangeError('inner products need an anchor');
  const count = anchors.length;
  const sums = new Float64Array((count * (count + 1)) / 2);
  const e = new Float64Array(count);
  for (let n = 0; n < newest.length; n++) {
    e[0] = newest[n]!;
    for (let i = 1; i < count; i++) e[i] = anchors[i - 1]![n]! - anchors[i]![n]!;
    let at = 0;
    for (let i = 0; i < count; i++) {
      for (let j = i; j < count; j++) sums[at++]! += e[i]! * e[j]!;
    }
  }
  return Float32Array.from(sums);
}
