/** From an adapter to a device that has proved itself. */
import { AppError } from '../../errors.ts';
import type { BackendHost } from '../host.ts';
import type { Ort } from '../ort.ts';
import {
  type AdapterReport,
  adapterName,
  describeAdapter,
  precisionOf,
  requestAdapter,
  requestDevice,
} from './device.ts';
import { selfTest, type SelfTestResult } from './selftest.ts';
import { DeviceWatch } from './watch.ts';

/** One device that was tried. */
export interface Attempt {
  readonly subgroups: boolean;
  readonly selfTest: SelfTestResult;
}

/** What there is to say of WebGPU on this machine, in plain data. */
export interface WebGpuReport {
  readonly adapter: AdapterReport | null;
  readonly attempts: readonly Attempt[];
}

export interface OpenDevice {
  readonly ort: Ort;
  /** As `OrtModule.readsBlobs`. */
  readonly readsBlobs: boolean;
  readonly watch: DeviceWatch;
  readonly name: string;
  readonly report: WebGpuReport;
}

/** The adapter that a device would come from, without making one; null where there is none. */
export async function findAdapter(gpu: GPU | undefined): Promise<AdapterReport | null> {
  const adapter = gpu ? await requestAdapter(gpu) : null;
  return adapter && describeAdapter(adapter);
}

/**
 * A device that passed the self-test: with the `subgroups` feature if it passes so, otherwise
 * without.
 *
 * @param headWidth of the model that is to run
 * @param subgroups the ways to try, in order
 * @throws AppError `no-webgpu` if there is no adapter or no device passes.
 */
export async function openDevice(
  host: BackendHost,
  headWidth: number,
  subgroups: readonly boolean[] = [true, false],
): Promise<OpenDevice> {
  const attempts: Attempt[] = [];
  for (const wanted of subgroups) {
    const adapter = host.gpu && (await requestAdapter(host.gpu));
    if (!adapter) throw noAdapter();
    // Without the feature the next attempt is the same as this one.
    if (wanted && !hasUsefulSubgroups(adapter) && subgroups.length > 1) continue;
    const device = await requestDevice(adapter, wanted);
    const watch = new DeviceWatch(device);
    try {
      const { ort, readsBlobs = false } = await host.ort.webgpu();
      const precision = precisionOf(device);
      const read = (name: string) => host.selfTestFile(name);
      const result = await selfTest(watch, ort, device, precision, headWidth, read);
      attempts.push({ subgroups: wanted, selfTest: result });
      if (result.passed) {
        const described = describeAdapter(adapter);
        const report = { adapter: described, attempts };
        return { ort, readsBlobs, watch, name: adapterName(described), report };
      }
    } catch (error) {
      device.destroy();
      throw error;
    }
    device.destroy();
  }
  throw new WebGpuFailed(attempts);
}

/**
 * In subgroups of four ONNX Runtime's attention is known to be wrong: not worth compiling it
 * only to see that.
 */
function hasUsefulSubgroups(adapter: GPUAdapter): boolean {
  return adapter.features.has('subgroups') && adapter.info.subgroupMinSize > 4;
}

function noAdapter(): AppError {
  return new AppError(
    'no-webgpu',
    'There is no GPU that WebGPU can use here.',
    'Use a current Chrome, Edge, Firefox or Safari with graphics acceleration on, or the processor.',
  );
}

/** A GPU is there and does not compute right. */
export class WebGpuFailed extends AppError {
  constructor(readonly attempts: readonly Attempt[]) {
    const figures = attempts.map(({ subgroups, selfTest: test }) => {
      const { attentionError, matMulError, tolerance } = test;
      return (
        `${subgroups ? 'with' : 'without'} subgroups attention is off by ${percent(attentionError)}` +
        ` and multiplication by ${percent(matMulError)}, where ${percent(tolerance)} is allowed`
      );
    });
    super(
      'no-webgpu',
      `The GPU does not compute right: ${figures.join('; ')}.`,
      'Update the graphics driver and the browser, or use the processor.',
    );
  }
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
