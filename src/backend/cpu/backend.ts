/** The pipeline's backend on the processor: ONNX Runtime's wasm and typed arrays. */
import type { Bundle } from '../../bundle/bundle.ts';
import type { Manifest } from '../../bundle/manifest.ts';
import type {
  Backend,
  BackendInfo,
  Conditioning,
  DenoiseRun,
  Grid,
  TextTokens,
} from '../backend.ts';
import type { OrtModule } from '../host.ts';
import { outputOf, runSession, type Ort, type Tensors } from '../ort.ts';
import { ortQueue } from '../serial.ts';
import { openSessions, releaseSessions, type Sessions } from '../sessions.ts';
import { textInputs } from '../text.ts';
import { CpuRun } from './run.ts';

/** Encoded text in the processor's memory. */
export interface CpuConditioning extends Conditioning {
  /** `text` [1, text tokens, text width] and `pooled` [1, pooled width]. */
  readonly tensors: Tensors;
}

/**
 * Loads the bundle's float32 graphs.
 *
 * @param reason why the processor is used, for people
 */
export async function createCpuBackend(
  bundle: Bundle,
  { ort, threads = threadsAllowed() }: OrtModule,
  reason: string,
): Promise<Backend> {
  ort.env.wasm.numThreads = threads;
  const options = { executionProviders: ['wasm'] };
  const sessions = await openSessions(ortQueue, ort, bundle, 'float32', options);
  const info: BackendInfo = {
    kind: 'cpu',
    adapter: `Processor, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    precision: 'float32',
    reason,
  };
  return new CpuBackend(info, ort, bundle.manifest, sessions);
}

/** Threads share memory, which browsers allow only to cross-origin isolated pages. */
function threadsAllowed(): number {
  return globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
}

class CpuBackend implements Backend {
  constructor(
    readonly info: BackendInfo,
    private readonly ort: Ort,
    private readonly manifest: Manifest,
    private readonly sessions: Sessions,
  ) {}

  async encodeText(tokens: TextTokens): Promise<CpuConditioning> {
    const inputs = textInputs(this.ort, tokens);
    const t5 = await runSession(ortQueue, this.sessions.t5, inputs.t5);
    const clip = await runSession(ortQueue, this.sessions.clip, inputs.clip);
    return {
      textTokens: tokens.t5.length,
      tensors: { text: outputOf(t5, 'text'), pooled: outputOf(clip, 'pooled') },
      dispose() {
        // Memory of the JavaScript heap, which frees itself.
      },
    };
  }

  begin(latents: Float32Array, grid: Grid, conditioning: Conditioning): Promise<DenoiseRun> {
    return Promise.resolve(
      new CpuRun(
        this.ort,
        this.manifest,
        this.sessions,
        latents,
        grid,
        conditioning as CpuConditioning,
      ),
    );
  }

  dispose(): Promise<void> {
    return releaseSessions(ortQueue, this.sessions);
  }
}
