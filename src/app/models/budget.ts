/** The memory that a model may take, as people set it. */
/** Below this FLUX.1's largest parts would not go in, one after another; above it no browser goes. */
export const MEMORY_GB = { min: 0.5, max: 64 } as const;

export const GB = 1e9;

/** @param bytes undefined for what suits the machine */
export function budgetProblem(bytes: number | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const { min, max } = MEMORY_GB;
  if (bytes >= min * GB && bytes <= max * GB) return undefined;
  return `The memory for the model must be a number from ${min} to ${max} GB.`;
}
