/** From an adapter to a device that has proved itself. */
import { AppError } from '../../shared/errors.ts';
import type { BackendHost } from '../host.ts';
import type { Ort } from '../ort/session.ts';
import {
  type AdapterReport,
  adapterName,
  describeAdapter,
  precisionOf,
  requestAdapter,
  requestDevice,
} from '../../gpu/device.ts';
import { selfTest, type SelfTestResult } from './selftest/selftest.ts';
import { DeviceWatch } from '../../gpu/watch.ts';

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
    if (!adapter) throw noAdapter(host.surroundings);
    // Without the feature the next attempt is the same as this one.
    if (wanted && !mayUseSubgroups(adapter) && subgroups.length > 1) continue;
    const device = await requestDevice(adapter, wanted);
    const watch = new DeviceWatch(device);
    try {
      const { ort, readsBlobs = false } = await host.ort.webgpu();
      const precision = precisionOf(device);
      const read = (name: string) => host.selfTestFile(name);
      const result = await selfTest(watch, ort, precision, headWidth, read);
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
  throw new WebGpuFailed(attempts, host.surroundings);
}

/**
 * ONNX Runtime's attention is wrong in some subgroups: by 76 % of the largest value in those of 4
 * numbers, by 16 % in those of 8 and by 9 % in those of 16 on lavapipe, and in those of 4 on
 * SwiftShader. The self-test finds that. Where an adapter has none but of 4, it is not worth
 * compiling attention only to see it fail.
 */
export function mayUseSubgroups({
  features,
  info,
}: Pick<GPUAdapter, 'features' | 'info'>): boolean {
  return features.has('subgroups') && info.subgroupMaxSize > 4;
}

type Surroundings = BackendHost['surroundings'];

function noAdapter(surroundings: Surroundings): AppError {
  return new AppError(
    'no-webgpu',
    'There is no GPU that WebGPU can use here.',
    surroundings === 'browser'
      ? 'Use a current Chrome, Edge, Firefox or Safari with graphics acceleration on, or the CPU.'
      : "Install the graphics card's driver, or use the CPU.",
  );
}

/** A GPU is there and does not compute right. */
export class WebGpuFailed extends AppError {
  constructor(
    readonly attempts: readonly Attempt[],
    surroundings: Surroundings,
  ) {
    const findings = attempts.map(
      ({ subgroups, selfTest }) =>
        `${subgroups ? 'with' : 'without'} subgroups ${describeFailure(selfTest)}`,
    );
    super(
      'no-webgpu',
      `The GPU does not compute right: ${findings.join('; ')}.`,
      surroundings === 'browser'
        ? 'Update the graphics driver and the browser, or use the CPU.'
        : 'Update the graphics driver, or use the CPU.',
    );
  }
}

/** Shaders' compilers quote the whole shader; what they object to comes first. */
const MESSAGE_LENGTH = 200;

function describeFailure({ checks, tolerance }: SelfTestResult): string {
  const { words, error, failure } = checks.at(-1)!;
  if (failure === undefined && Number.isNaN(error)) return `${words} gives NaN`;
  if (failure === undefined) {
    return `${words} is off by ${percent(error)}, where ${percent(tolerance)} is allowed`;
  }
  const message = failure.replace(/\s+/g, ' ').trim();
  const short = message.length > MESSAGE_LENGTH ? `${message.slice(0, MESSAGE_LENGTH)}…` : message;
  return `${words} does not run (${short})`;
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
