/**
 * ONNX Runtime's builds: 14 to 27 MB each, of which a browser uses one. They are kept beside the
 * service worker's other files, when an engine has started with them.
 */
import asyncify from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspi from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import cpu from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { runtimeCache } from './cache.ts';

/** Keeps the build that this backend runs on (src/workers/engine/host.ts); it was just downloaded. */
export async function keepRuntime(backend: 'webgpu' | 'cpu'): Promise<void> {
  const gpu = 'Suspending' in WebAssembly ? jspi : asyncify;
  const url = new URL(backend === 'cpu' ? cpu : gpu, document.baseURI).href;
  const cache = await caches.open(runtimeCache(new URL('.', document.baseURI).href));
  // Its name changes with its bytes: a copy is good at any age.
  if (!(await cache.match(url))) await cache.add(new Request(url, { cache: 'force-cache' }));
}
