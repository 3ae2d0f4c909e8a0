/** What the GPU's backend hands to each of its runs. */
import type { Manifest } from '../../bundle/manifest.ts';
import type { Precision } from '../../gpu/precision.ts';
import type { DeviceWatch } from '../../gpu/watch.ts';
import type { Conditioning } from '../backend.ts';
import type { Components } from '../ort/components.ts';
import type { Ort, Tensors } from '../ort/session.ts';
import type { EulerStepKernel } from './kernels/euler_step.ts';
import type { ForecastKernel } from './kernels/forecast.ts';
import type { GramKernel } from './kernels/gram.ts';

/** What every run needs, made once for a bundle and a device. */
export interface WebGpuParts {
  readonly ort: Ort;
  readonly watch: DeviceWatch;
  readonly manifest: Manifest;
  readonly precision: Precision;
  readonly components: Components;
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
