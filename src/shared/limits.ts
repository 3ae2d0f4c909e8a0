/** What a request may ask for; the page's fields and the pipeline's checks are both made of it. */

export const STEPS = { min: 1, max: 1000 } as const;
/** Guidance scale of a model that takes one. */
export const GUIDANCE = { min: 0, max: 30 } as const;
