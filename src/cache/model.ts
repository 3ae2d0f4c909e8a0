/** What is known of a model's features before a run: how they move along the flow time. */

/**
 * A statistical model of features along a run. It says how large the error of any weighted sum of
 * anchors will be, and how much of it reaches the picture; the planner needs no more.
 */
export interface FeatureModel {
  /** ⟨F(tᵢ), F(tⱼ)⟩ for all pairs of flow times, relative to a mean feature's square. */
  covariance(flowTimes: readonly number[]): number[][];
  /**
   * Relative error of the final latents for each unit of flow time that is made with features
   * wrong by one mean feature's size, at flow time `t`.
   */
  gain(t: number): number;
}

/**
 * For models that nobody has calibrated. Features are taken as a Matérn-5/2 process (twice
 * differentiable) in a flow time that runs faster near both ends, where features of flow
 * transformers turn fastest; the constants are fitted to the pocket model.
 */
export const GENERIC_MODEL: FeatureModel = {
  covariance: (flowTimes) => {
    const at = flowTimes.map(warped);
    return at.map((u) => at.map((v) => matern(Math.abs(u - v) / LENGTH)));
  },
  gain: () => 1.2,
};

const LENGTH = 1.1;
const ENDS = 0.1;
const EDGE = 0.005;

/** ∫ 1/2 + ENDS/(1 − t + EDGE) + ENDS/(t + EDGE) dt. */
function warped(t: number): number {
  return t / 2 + ENDS * (Math.log(t + EDGE) - Math.log(1 - t + EDGE));
}

function matern(distance: number): number {
  const r = Math.sqrt(5) * distance;
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}
