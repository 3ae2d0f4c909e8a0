/** The pipeline's backend on the GPU: ONNX Runtime's WebGPU build and our own kernels. */
import type { Tensor } from 'onnxruntime-web/wasm';
import type { Bundle } from '../../bundle/bundle.ts';
import type {
  Backend,
  BackendInfo,
  Conditioning,
  DenoiseRun,
  Grid,
  OnComponentLoading,
  RunOptions,
  TextTokens,
} from '../backend.ts';
import { Components } from '../ort/components.ts';
import type { BackendHost } from '../host.ts';
import type { BackendLimits } from '../options.ts';
import { TextCache } from '../text-cache.ts';
import { textInputs, textKey } from '../text.ts';
import { precisionOf } from '../../gpu/device.ts';
import { EulerStepKernel } from './kernels/euler_step.ts';
import { ForecastKernel } from './kernels/forecast.ts';
import { GramKernel } from './kernels/gram.ts';
import type { OpenDevice } from './open.ts';
import type { WebGpuConditioning, WebGpuParts } from './parts.ts';
import { beginRun } from './run.ts';
import { WebGpuSessions } from './sessions.ts';
import { gpuFloats } from './tensors.ts';

/** A prompt's encoding, in buffers of its own. */
interface EncodedText {
  readonly text: Tensor;
  readonly pooled: Tensor;
}

/**
 * Loads the bundle onto a device, or what of it fits: float16 graphs where its shaders compute with
 * them, float32 ones elsewhere. The backend owns the device from here on and destroys it in the end.
 */
export async function createWebGpuBackend(
  bundle: Bundle,
  { shaders, selfTestFile }: Pick<BackendHost, 'shaders' | 'selfTestFile'>,
  { ort, readsBlobs, watch }: Pick<OpenDevice, 'ort' | 'readsBlobs' | 'watch'>,
  about: Pick<BackendInfo, 'adapter' | 'reason'>,
  { memoryBudget, cachedTexts }: BackendLimits,
): Promise<Backend> {
  const { device } = watch;
  const precision = precisionOf(device);
  const convolution = () => selfTestFile('convolution.onnx');
  const sessions = new WebGpuSessions(ort, watch, readsBlobs, convolution);
  const components = new Components(sessions, bundle, precision, memoryBudget);
  await components.openAhead();
  const kernels = {
    forecast: await ForecastKernel.create(device, shaders.forecast, precision),
    eulerStep: await EulerStepKernel.create(device, shaders.eulerStep),
    gram: await GramKernel.create(device, shaders.gram, precision),
  };
  const parts = { ort, watch, manifest: bundle.manifest, precision, components, kernels };
  const info: BackendInfo = { kind: 'webgpu', precision, ...about, residency: components.plan };
  return new WebGpuBackend(info, parts, cachedTexts);
}

class WebGpuBackend implements Backend {
  private readonly texts: TextCache<EncodedText>;

  constructor(
    readonly info: BackendInfo,
    private readonly parts: WebGpuParts,
    cachedTexts: number,
  ) {
    this.texts = new TextCache(cachedTexts, destroyText);
  }

  async encodeText(
    tokens: TextTokens,
    onLoading?: OnComponentLoading,
  ): Promise<WebGpuConditioning> {
    const { encoded, release } = await this.texts.lease(textKey(tokens), () =>
      this.encode(tokens, onLoading),
    );
    return { textTokens: tokens.t5.length, tensors: { ...encoded }, dispose: release };
  }

  begin(
    latents: Float32Array,
    grid: Grid,
    conditioning: Conditioning,
    options: RunOptions = {},
  ): Promise<DenoiseRun> {
    return beginRun(this.parts, latents, grid, conditioning as WebGpuConditioning, options);
  }

  async dispose(): Promise<void> {
    const { watch, components, kernels } = this.parts;
    this.texts.clear();
    try {
      await components.dispose();
    } finally {
      for (const kernel of Object.values(kernels)) kernel.dispose();
      watch.device.destroy();
    }
  }

  private async encode(tokens: TextTokens, onLoading?: OnComponentLoading): Promise<EncodedText> {
    const { ort, watch, components, manifest } = this.parts;
    const { textWidth, pooledWidth } = manifest.transformer;
    const inputs = textInputs(ort, tokens);
    const encoded = await watch.allocate(() => ({
      text: gpuFloats(ort, watch.device, 'text', [1, tokens.t5.length, textWidth]),
      pooled: gpuFloats(ort, watch.device, 'pooled text', [1, pooledWidth]),
    }));
    try {
      await components.run('t5', inputs.t5, { text: encoded.text }, onLoading);
      await components.run('clip', inputs.clip, { pooled: encoded.pooled }, onLoading);
    } catch (error) {
      destroyText(encoded);
      throw error;
    }
    return encoded;
  }
}

function destroyText({ text, pooled }: EncodedText): void {
  text.gpuBuffer.destroy();
  pooled.gpuBuffer.destroy();
}
