/** The pipeline's backend on the processor: ONNX Runtime's wasm and typed arrays. */
import type { Bundle } from '../../bundle/bundle.ts';
import type { Manifest } from '../../bundle/manifest.ts';
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
import type { OrtModule } from '../host.ts';
import type { BackendLimits } from '../options.ts';
import { outputOf, type Ort, type Tensors } from '../ort/session.ts';
import { TextCache } from '../text-cache.ts';
import { textInputs, textKey } from '../text.ts';
import { type CpuConditioning, CpuRun } from './run.ts';
import { cpuSessions } from './sessions.ts';
import { threadsAllowed, threadsInUse } from './threads.ts';

/**
 * Loads the bundle's float32 graphs, or those that fit.
 *
 * @param reason why the processor is used, for people
 */
export async function createCpuBackend(
  bundle: Bundle,
  { ort, threads = threadsAllowed() }: OrtModule,
  reason: string,
  { memoryBudget, cachedTexts }: BackendLimits,
): Promise<Backend> {
  ort.env.wasm.numThreads = threads;
  const components = new Components(cpuSessions(ort), bundle, 'float32', memoryBudget);
  await components.openAhead();
  const used = threadsInUse(ort, threads);
  const info: BackendInfo = {
    kind: 'cpu',
    adapter: `Processor, ${used} ${used === 1 ? 'thread' : 'threads'}`,
    precision: 'float32',
    reason,
    residency: components.plan,
  };
  return new CpuBackend(info, ort, bundle.manifest, components, cachedTexts);
}

class CpuBackend implements Backend {
  private readonly texts: TextCache<Tensors>;

  constructor(
    readonly info: BackendInfo,
    private readonly ort: Ort,
    private readonly manifest: Manifest,
    private readonly components: Components,
    cachedTexts: number,
  ) {
    // Memory of the JavaScript heap, which frees itself.
    this.texts = new TextCache(cachedTexts, () => undefined);
  }

  async encodeText(tokens: TextTokens, onLoading?: OnComponentLoading): Promise<CpuConditioning> {
    const { encoded, release } = await this.texts.lease(textKey(tokens), () =>
      this.encode(tokens, onLoading),
    );
    return { textTokens: tokens.t5.length, tensors: encoded, dispose: release };
  }

  begin(
    latents: Float32Array,
    grid: Grid,
    conditioning: Conditioning,
    options: RunOptions = {},
  ): Promise<DenoiseRun> {
    return Promise.resolve(
      new CpuRun(
        this.ort,
        this.manifest,
        this.components,
        latents,
        grid,
        conditioning as CpuConditioning,
        options,
      ),
    );
  }

  dispose(): Promise<void> {
    this.texts.clear();
    return this.components.dispose();
  }

  private async encode(tokens: TextTokens, onLoading?: OnComponentLoading): Promise<Tensors> {
    const inputs = textInputs(this.ort, tokens);
    const t5 = await this.components.run('t5', inputs.t5, {}, onLoading);
    const clip = await this.components.run('clip', inputs.clip, {}, onLoading);
    return { text: outputOf(t5, 'text'), pooled: outputOf(clip, 'pooled') };
  }
}
