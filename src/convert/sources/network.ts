/** Checkpoints are read over the network in many small requests, and people wait for the first. */
import type { HttpOptions } from '../../bundle/http/request.ts';
import { type RetryOptions, withRetries } from '../../bundle/http/retries.ts';

export interface NetworkOptions extends HttpOptions, RetryOptions {
  /** Ends requests and pauses: they reject with `cancelled`. */
  readonly signal?: AbortSignal;
}

/** Shorter than for the files of bundles, since the address may just have been typed. */
const PAUSES_MS = [500, 1000, 2000, 4000];

/** Tries again while the error is one that may pass. */
export function patiently<T>(
  { pauses = PAUSES_MS, ...options }: NetworkOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  return withRetries({ ...options, pauses }, attempt);
}

/** A part of an address without its percent signs, or as it is if they are wrong. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
