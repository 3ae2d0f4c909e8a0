/** What a request may ask for; the page's fields and the pipeline's checks are both made of it. */

export const STEPS = { min: 1, max: 1000 } as const;
export const SEED = { min: 0, max: 2 ** 32 - 1 } as const;
