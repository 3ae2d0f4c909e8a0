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
  /**
   * Share of an extrapolation's squared error that stays when a compute step corrects it: the
   * latents are put right, but the features were computed on wrong ones.
   */
  readonly uncorrected: number;
}

/**
 * Constants of a feature model. Features are taken as a Matérn-5/2 process (twice differentiable)
 * in a flow time that runs faster near both ends, where features of flow transformers turn fastest.
 */
export interface FeatureConstants {
  /** Distance in that faster flow time over which features stay alike. */
  readonly length: number;
  /** How much faster it runs near t = 1, and how near. */
  readonly noiseSpeed: number;
  readonly noiseEdge: number;
  /** The same near t = 0. */
  readonly pictureSpeed: number;
  readonly pictureEdge: number;
  readonly uncorrected: number;
  /** `FeatureModel.gain` is `gain` times the measured sensitivity to this power. */
  readonly gain: number;
  readonly sensitivity: number;
}

/** Fitted to the first pocket model's features; they serve models that nobody has calibrated. */
export const GENERIC_CONSTANTS: FeatureConstants = {
  length: 1.1,
  noiseSpeed: 0.1,
  noiseEdge: 0.005,
  pictureSpeed: 0.1,
  pictureEdge: 0.005,
  uncorrected: 1,
  gain: 1.2,
  sensitivity: 0,
};

/** @param sensitivity how much an error at flow time `t` changes the result, relative to the mean. */
export function featureModel(
  constants: FeatureConstants,
  sensitivity: (t: number) => number = () => 1,
): FeatureModel {
  const { length, noiseSpeed, noiseEdge, pictureSpeed, pictureEdge, uncorrected } = constants;
  /** ∫ 1/2 + noiseSpeed/(1 − t + noiseEdge) + pictureSpeed/(t + pictureEdge) dt. */
  const warped = (t: number): number =>
    t / 2 + pictureSpeed * Math.log(t + pictureEdge) - noiseSpeed * Math.log(1 - t + noiseEdge);
  return {
    covariance: (flowTimes) => {
      const at = flowTimes.map(warped);
      return at.map((u) => at.map((v) => matern(Math.abs(u - v) / length)));
    },
    gain: (t) => constants.gain * sensitivity(t) ** constants.sensitivity,
    uncorrected,
  };
}

export const GENERIC_MODEL = featureModel(GENERIC_CONSTANTS);

function matern(distance: number): number {
  const r = Math.sqrt(5) * distance;
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}
