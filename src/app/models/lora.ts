/** How strongly a LoRA may change a model; the command line takes the same. */
export const LORA_STRENGTH = { min: -10, max: 10, step: 0.05 } as const;

export function strengthProblem(strength: number): string | undefined {
  const { min, max } = LORA_STRENGTH;
  if (strength >= min && strength <= max) return undefined;
  return `The strength of a LoRA must be a number from ${min} to ${max}.`;
}
