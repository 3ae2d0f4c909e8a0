/** Sessions of ONNX Runtime's CPU build. */
import type { SessionKind } from '../ort/components.ts';
import type { Ort } from '../ort/session.ts';
import { ortQueue } from '../../shared/serial.ts';

export function cpuSessions(ort: Ort): SessionKind {
  return {
    runner: ortQueue,
    readsBlobs: false,
    advice: 'Convert or download the model again. If it still fails, report it with this text.',
    create: (graph, externalData, { sparing }) =>
      ortQueue.run(() =>
        ort.InferenceSession.create(graph, {
          executionProviders: ['wasm'],
          externalData,
          // Else a session keeps what its runs took, rounded up to a power of two.
          enableCpuMemArena: !sparing,
          enableMemPattern: !sparing,
        }),
      ),
    release: (session) => ortQueue.run(() => session.release()),
    // In the JavaScript heap, not in wasm's.
    detach: (output) => Promise.resolve(output),
  };
}
