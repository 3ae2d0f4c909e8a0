/** How many threads ONNX Runtime's wasm runs on. */
import type { Ort } from '../ort/session.ts';

/** What a page or a worker says of shared memory; any of it may be missing. */
export interface ThreadScope {
  readonly crossOriginIsolated?: boolean;
  readonly SharedArrayBuffer?: unknown;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

/**
 * Threads share memory. Browsers allow that to cross-origin isolated pages only, and some engines,
 * WebKitGTK among them, have no shared memory in an isolated page either.
 */
export function threadsAllowed(scope: ThreadScope = globalThis): number {
  const { crossOriginIsolated, SharedArrayBuffer, navigator } = scope;
  if (!crossOriginIsolated || typeof SharedArrayBuffer !== 'function') return 1;
  return navigator?.hardwareConcurrency || 1;
}

/**
 * The number that the sessions got: ONNX Runtime tries shared memory when it makes the first one,
 * and sets its own setting to 1 where that fails.
 */
export function threadsInUse(ort: Ort, wanted: number): number {
  return ort.env.wasm.numThreads ?? wanted;
}
