import type { Verification } from '../forecast/policy.ts';

/**
 * The forecast steps of a run that no compute step has verified: those after the last one, and those
 * before a compute step whose features could not be compared.
 */
export function unverifiedSteps(
  steps: number,
  computeSteps: readonly number[],
  verifications: readonly Pick<Verification, 'step'>[],
): number[] {
  const verified = new Set(verifications.map(({ step }) => step));
  return Array.from({ length: steps }, (_, step) => step).filter((step) => {
    if (computeSteps.includes(step)) return false;
    const next = computeSteps.find((computed) => computed > step);
    return next === undefined || !verified.has(next);
  });
}
