/**
 * output = sum over j of weights[j] * anchors[j]: the forecast of every basis, and the reference
 * for shaders/forecast.wgsl.
 *
 * @param anchors newest first, as many as weights at least, each as long as `output`
 * @param output written over; none of the anchors
 */
export function forecast(
  weights: readonly number[],
  anchors: readonly Float32Array[],
  output: Float32Array,
): void {
  output.fill(0);
  weights.forEach((weight, j) => {
    const anchor = anchors[j];
    if (!anchor) throw new RangeError(`${weights.length} weights for ${anchors.length} anchors`);
    for (let i = 0; i < output.length; i++) output[i]! += weight * anchor[i]!;
  });
}
