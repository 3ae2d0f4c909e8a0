/** The pipeline's backend on the GPU: ONNX Runtime's WebGPU build and our own kernels. */
import type { Tensor } from 'onnxruntime-web/wasm';
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
import type { ShaderSources } from '../host.ts';
import { runSession, type Ort, type Tensors } from '../ort.ts';
import { openSessions, releaseSessions, type Sessions } from '../sessions.ts';
import { textInputs } from '../text.ts';
import { storageBuffer } from './buffers.ts';
import { precisionOf } from './device.ts';
import { EulerStepKernel } from './euler_step.ts';
import { ForecastKernel } from './forecast.ts';
import { GramKernel } from './gram.ts';
import { beginRun } from './run.ts';
import type { DeviceWatch } from './watch.ts';

/** What every run needs, made once for a bundle and a device. */
export interface WebGpuParts {
  readonly ort: Ort;
  readonly watch: DeviceWatch;
  readonly manifest: Manifest;
  readonly precision: BackendInfo['precision'];
  readonly sessions: Sessions;
  readonly kernels: {
    readonly forecast: ForecastKernel;
    readonly eulerStep: EulerStepKernel;
    readonly gram: GramKernel;
  };
}

/** Encoded text in the GPU's memory. */
export interface WebGpuConditioning extends Conditioning {
  /** `text` [1, text tokens, text width] and `pooled` [1, pooled width]. */
  readonly tensors: Tensors;
}

/**
 * Loads the bundle onto a device: float16 graphs where its shaders compute with them, float32
 * ones elsewhere. The backend owns the device from here on and destroys it in the end.
 */
export async function createWebGpuBackend(
  bundle: Bundle,
  ort: Ort,
  watch: DeviceWatch,
  shaders: ShaderSources,
  about: Pick<BackendInfo, 'adapter' | 'reason'>,
): Promise<Backend> {
  const { device } = watch;
  const precision = precisionOf(device);
  const sessions = await openSessions(watch, ort, bundle, precision, {
    executionProviders: [{ name: 'webgpu', device, validationMode: 'wgpuOnly' }],
    // A node that ran on the processor would copy its tensors there and back at every step.
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  const kernels = {
    forecast: await ForecastKernel.create(device, shaders.forecast, precision),
    eulerStep: await EulerStepKernel.create(device, shaders.eulerStep),
    gram: await GramKernel.create(device, shaders.gram, precision),
  };
  const parts = { ort, watch, manifest: bundle.manifest, precision, sessions, kernels };
  return new WebGpuBackend({ kind: 'webgpu', precision, ...about }, parts);
}

class WebGpuBackend implements Backend {
  constructor(
    readonly info: BackendInfo,
    private readonly parts: WebGpuParts,
  ) {}

  async encodeText(tokens: TextTokens): Promise<WebGpuConditioning> {
    const { ort, watch, sessions, manifest } = this.parts;
    const { textWidth, pooledWidth } = manifest.transformer;
    const inputs = textInputs(ort, tokens);
    const { text, pooled } = await watch.allocate(() => ({
      text: gpuFloats(ort, watch.device, 'text', [1, tokens.t5.length, textWidth]),
      pooled: gpuFloats(ort, watch.device, 'pooled text', [1, pooledWidth]),
    }));
    const dispose = (): void => {
      text.gpuBuffer.destroy();
      pooled.gpuBuffer.destroy();
    };
    try {
      await runSession(watch, sessions.t5, inputs.t5, { text });
      await runSession(watch, sessions.clip, inputs.clip, { pooled });
    } catch (error) {
      dispose();
      throw error;
    }
    return { textTokens: tokens.t5.length, tensors: { text, pooled }, dispose };
  }

  begin(latents: Float32Array, grid: Grid, conditioning: Conditioning): Promise<DenoiseRun> {
    return beginRun(this.parts, latents, grid, conditioning as WebGpuConditioning);
  }

  async dispose(): Promise<void> {
    const { watch, sessions, kernels } = this.parts;
    try {
      await releaseSessions(watch, sessions);
    } finally {
      for (const kernel of Object.values(kernels)) kernel.dispose();
      watch.device.destroy();
    }
  }
}

/** A float32 tensor in a new buffer. */
export function gpuFloats(
  ort: Ort,
  device: GPUDevice,
  label: string,
  dims: readonly number[],
): Tensor {
  const length = dims.reduce((a, b) => a * b);
  return ort.Tensor.fromGpuBuffer(storageBuffer(device, label, 4 * length), {
    dataType: 'float32',
    dims,
  });
}
