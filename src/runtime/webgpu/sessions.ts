/** Sessions of ONNX Runtime's WebGPU build, and what it takes to get their memory back. */
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { SessionKind, SessionPlace } from '../ort/components.ts';
import type { ExternalData, Ort } from '../ort/session.ts';
import { storageBuffer } from '../../gpu/buffers.ts';
import { precisionOf } from '../../gpu/device.ts';
import type { DeviceWatch } from '../../gpu/watch.ts';

/** How a file of ONNX says that a node is a Clip: field 4 of NodeProto, four characters. */
const CLIP = '\x22\x04Clip';

/**
 * @param readsBlobs whether this build of ONNX Runtime does
 * @param convolution reads public/selftest/convolution.onnx
 */
export class WebGpuSessions implements SessionKind {
  readonly advice =
    'Select the CPU instead of the GPU, and report it with this text and the name of your GPU.';
  #open = 0;
  #convolution: Promise<Uint8Array> | undefined;

  constructor(
    private readonly ort: Ort,
    readonly runner: DeviceWatch,
    readonly readsBlobs: boolean,
    private readonly convolution: () => Promise<Uint8Array>,
  ) {}

  async create(
    graph: Uint8Array,
    externalData: readonly ExternalData[],
    { last, sparing }: SessionPlace,
  ): Promise<InferenceSession> {
    const readable = await this.readable(graph);
    const session = await this.runner.allocate(
      () =>
        this.ort.InferenceSession.create(readable, {
          ...this.options(sparing),
          externalData,
          // What goes from segment to segment stays on the GPU.
          ...(!last && { preferredOutputLocation: 'gpu-buffer' as const }),
        }),
      (made) => made.release(),
    );
    this.#open++;
    return session;
  }

  async release(session: InferenceSession, { sparing }: SessionPlace): Promise<void> {
    this.#open--;
    await this.runner.run(() => session.release());
    if (sparing && this.#open > 0) await this.freeWeights();
  }

  async detach(output: Tensor, { sparing }: SessionPlace): Promise<Tensor> {
    // All sessions stay open, or ONNX Runtime would fail to dispose of a released session's output.
    if (!sparing) return output;
    const { device } = this.runner;
    const bytes = output.size * (output.type === 'float16' ? 2 : 4);
    const copy = await this.runner.allocate(() => storageBuffer(device, 'between segments', bytes));
    await this.runner.run(() => {
      const encoder = device.createCommandEncoder({ label: 'between segments' });
      encoder.copyBufferToBuffer(output.gpuBuffer, 0, copy, 0, copy.size);
      device.queue.submit([encoder.finish()]);
      output.dispose();
      return Promise.resolve();
    });
    return this.ort.Tensor.fromGpuBuffer(copy, {
      dataType: output.type as 'float32' | 'float16',
      dims: output.dims,
      dispose: () => copy.destroy(),
    });
  }

  /** Bundles converted by earlier versions have a Clip in their float16 graphs. */
  private async readable(graph: Uint8Array): Promise<Uint8Array> {
    if (precisionOf(this.runner.device) !== 'float16' || !mayHaveClip(graph)) return graph;
    const { withoutClip } = await import('../../bundle/half-clip.ts');
    return withoutClip(graph);
  }

  /**
   * ONNX Runtime keeps a released session's weights until weights that it has packed anew reach the
   * GPU, or until no session is left. A small convolution's are packed, so opening one lets them go.
   */
  private async freeWeights(): Promise<void> {
    this.#convolution ??= this.convolution();
    const graph = await this.#convolution;
    await this.runner.run(async () => {
      const session = await this.ort.InferenceSession.create(graph, this.options(true));
      await session.release();
    });
  }

  /** `sparing`: activations are given back to the GPU after each use instead of being kept. */
  private options(sparing: boolean): InferenceSession.SessionOptions {
    const { device } = this.runner;
    return {
      executionProviders: [
        {
          name: 'webgpu',
          device,
          validationMode: 'wgpuOnly',
          ...(sparing && { storageBufferCacheMode: 'lazyRelease' as const }),
        },
      ],
      // A node that ran on the processor would copy its tensors there and back at every step.
      extra: { session: { disable_cpu_ep_fallback: '1' } },
    };
  }
}

/** Far quicker than reading the graph, and current bundles have none. */
function mayHaveClip(graph: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(graph).includes(CLIP);
}
