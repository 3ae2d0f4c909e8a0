/** Sessions of ONNX Runtime's CPU build. */
import type { SessionKind } from '../components.ts';
import type { Ort } from '../ort.ts';
import { ortQueue } from '../serial.ts';

export function cpuSessions(ort: Ort): SessionKind {
  return {
    runner: ortQueue,
    readsBlobs: false,
    create: (graph, externalData) =>
      ortQueue.run(() =>
        ort.InferenceSession.create(graph, { executionProviders: ['wasm'], externalData }),
      ),
    release: (session) => ortQueue.run(() => session.release()),
    // In the JavaScript heap, not in wasm's.
    detach: (output) => Promise.resolve(output),
  };
}
