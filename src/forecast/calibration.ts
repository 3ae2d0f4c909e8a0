/** What `hicache calibrate` found out about one model, and how the cache uses it. */
import {
  type FeatureConstants,
  featureModel,
  type FeatureModel,
  GENERIC_MODEL,
} from './schedule/feature-covariance.ts';
import type { Forecaster } from './settings.ts';

/** How much an error of the features changes the result, where along the flow time it is made. */
export interface Sensitivity {
  /** Falling. */
  readonly flowTimes: readonly number[];
  /** Relative error of the final latents per unit of flow time and relative error of features. */
  readonly gains: readonly number[];
}

/** The best way that search found to spend a number of compute steps. */
export interface CalibratedPlan {
  readonly steps: number;
  /** The first one is 0. */
  readonly computeSteps: readonly number[];
  readonly forecaster: Forecaster;
  /** Relative error of the final latents: geometric mean over the calibration's pictures. */
  readonly error: number;
}

export interface Calibration {
  readonly version: 1;
  /** Timestep shift that the plans were made with. */
  readonly shift: number;
  /** How many pictures were made of. */
  readonly pictures: number;
  readonly sensitivity: Sensitivity;
  readonly constants: FeatureConstants;
  readonly plans: readonly CalibratedPlan[];
  /**
   * Verified errors of the straight line over those that the model of features predicts, as they
   * usually are (geometric mean). Its constants make good plans; they need not fit the features.
   */
  readonly verified: number;
}

/** What the cache knows of a model. */
export interface Knowledge {
  readonly features: FeatureModel;
  /** Those for runs like the one at hand. */
  readonly plans: readonly CalibratedPlan[];
  /** As in `Calibration`. */
  readonly verified: number;
}

/** Of a model that nobody has calibrated. */
export const GENERIC: Knowledge = { features: GENERIC_MODEL, plans: [], verified: 1 };

/** Plans that are kept are found by their model, so one calibration gives one model. */
const models = new WeakMap<Calibration, FeatureModel>();

/**
 * @param shift timestep shift of the run; plans hold for the one that they were made with, the
 * model of features for any.
 */
export function knowledgeOf(
  calibration: Calibration | undefined,
  steps: number,
  shift: number,
): Knowledge {
  if (!calibration) return GENERIC;
  let features = models.get(calibration);
  if (!features) {
    features = calibratedModel(calibration.constants, calibration.sensitivity);
    models.set(calibration, features);
  }
  const fits = Math.abs(shift / calibration.shift - 1) < 1e-6;
  const plans = calibration.plans.filter((plan) => fits && plan.steps === steps);
  return { features, plans, verified: calibration.verified };
}

/** The sensitivity is straight between measured flow times, level beyond, and 1 on average. */
export function calibratedModel(
  constants: FeatureConstants,
  { flowTimes, gains }: Sensitivity,
): FeatureModel {
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  return featureModel(constants, (t) => {
    const after = flowTimes.findIndex((time) => time <= t);
    if (after === 0) return gains[0]! / mean;
    if (after < 0) return gains.at(-1)! / mean;
    const [high, low] = [flowTimes[after - 1]!, flowTimes[after]!];
    const share = (high - t) / (high - low);
    return ((1 - share) * gains[after - 1]! + share * gains[after]!) / mean;
  });
}
