import { expect, test } from 'vitest';
import { parseManifest } from '../../../src/bundle/manifest.ts';
import { LINEAR } from '../../../src/forecast/verification/candidates.ts';
import { GENERIC_CONSTANTS } from '../../../src/forecast/schedule/feature-covariance.ts';
import { testManifest } from '../support/manifest.ts';

const plan = { steps: 20, computeSteps: [0, 3, 9], forecaster: LINEAR, error: 0.01 };
const sensitivity = { flowTimes: [0.9, 0.5], gains: [2, 1] };
const calibration = {
  version: 1,
  shift: 3,
  pictures: 4,
  sensitivity,
  constants: GENERIC_CONSTANTS,
  plans: [plan],
  verified: 1.5,
};
const parsed = (change: object) =>
  parseManifest(
    JSON.stringify({ ...testManifest(), calibration: { ...calibration, ...change } }),
    'manifest.json',
  );

test('a manifest may have a calibration', () => {
  expect(parsed({}).calibration).toEqual(calibration);
  expect(parseManifest(JSON.stringify(testManifest()), '').calibration).toBeUndefined();
});

test.each([
  ['another version', { version: 2 }, 'calibration.version'],
  ['no shift', { shift: 0 }, 'calibration.shift'],
  ['rising flow times', { sensitivity: { ...sensitivity, flowTimes: [0.5, 0.9] } }, 'sensitivity'],
  ['a gain too few', { sensitivity: { ...sensitivity, gains: [1] } }, 'sensitivity'],
  ['a constant of zero', { constants: { ...GENERIC_CONSTANTS, length: 0 } }, 'constants.length'],
  ['a first step left out', { plans: [{ ...plan, computeSteps: [1, 2] }] }, 'plans.0'],
  ['a step twice', { plans: [{ ...plan, computeSteps: [0, 2, 2] }] }, 'plans.0'],
  ['a step too many', { plans: [{ ...plan, computeSteps: [0, 20] }] }, 'plans.0'],
  [
    'a basis that is none',
    { plans: [{ ...plan, forecaster: { ...LINEAR, basis: 'auto' } }] },
    'forecaster.basis',
  ],
])('%s in it is refused by name', (_, change, field) => {
  expect(() => parsed(change)).toThrow(field);
});
