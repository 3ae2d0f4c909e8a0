/**
 * Where float16 graphs clip what they carry on. Half precision's largest number, 65504, is known
 * to saturate: the next addition overflows.
 */
export const HALF_BOUND = 60000;
