/** The one place where a GPU device is requested. */
import { AppError, messageOf } from '../shared/errors.ts';
import type { Precision } from './precision.ts';

/** An adapter in plain data, fit for a report. */
export interface AdapterReport {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** A processor that plays GPU: slower than the CPU backend. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/**
 * Limits taken as high as the adapter goes, each for a reason. What is not named here stays at
 * WebGPU's default, which every device has.
 */
const LIMITS = {
  maxBufferSize: 'one weight tensor of a large model exceeds the default 256 MiB',
  maxStorageBufferBindingSize: 'the same tensor as a binding, by default 128 MiB',
  maxComputeWorkgroupStorageSize: 'ONNX Runtime sizes its matrix tiles by it',
  maxComputeInvocationsPerWorkgroup: 'ONNX Runtime sizes its workgroups by it',
  maxComputeWorkgroupSizeX: 'as above',
  maxComputeWorkgroupSizeY: 'as above',
  maxComputeWorkgroupSizeZ: 'as above',
  maxComputeWorkgroupsPerDimension: 'long tensors in one row of workgroups',
  maxStorageBuffersPerShaderStage: 'ONNX Runtime joins and splits more tensors per dispatch',
} as const;

/** A new adapter, since one adapter can make one device only; null where there is none. */
export async function requestAdapter(gpu: GPU): Promise<GPUAdapter | null> {
  // Laptops with two GPUs would otherwise hand out the slow one.
  return gpu.requestAdapter({ powerPreference: 'high-performance' });
}

/**
 * @param subgroups whether to ask for the `subgroups` feature where the adapter has it. ONNX
 *   Runtime's attention is wrong with it on some adapters, so a self-test decides.
 * @throws AppError `no-webgpu` if the adapter gives no device.
 */
export async function requestDevice(adapter: GPUAdapter, subgroups: boolean): Promise<GPUDevice> {
  const features: GPUFeatureName[] = [];
  // Halves the memory of weights and features and doubles their bandwidth.
  if (adapter.features.has('shader-f16')) features.push('shader-f16');
  if (subgroups && adapter.features.has('subgroups')) features.push('subgroups');
  const limits = Object.keys(LIMITS) as (keyof typeof LIMITS)[];
  try {
    return await adapter.requestDevice({
      label: 'hicache',
      requiredFeatures: features,
      requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
    });
  } catch (cause) {
    throw new AppError(
      'no-webgpu',
      `The GPU gives no device: ${messageOf(cause)}`,
      'Close other programs that use the GPU, update its driver, or use the CPU.',
      { cause },
    );
  }
}

/** Half precision wherever shaders can compute with it. */
export function precisionOf(device: GPUDevice): Precision {
  return device.features.has('shader-f16') ? 'float16' : 'float32';
}

export function describeAdapter(adapter: GPUAdapter): AdapterReport {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const names = `${vendor} ${architecture} ${device} ${description}`.toLowerCase();
  const limits = Object.keys(LIMITS) as (keyof typeof LIMITS)[];
  return {
    vendor,
    architecture,
    device,
    description,
    software: isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/.test(names),
    features: [...adapter.features].sort(),
    limits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  };
}

/** The adapter as a person would name it. */
export function adapterName(adapter: AdapterReport): string {
  const { vendor, architecture, device, description } = adapter;
  return description || [vendor, architecture || device].filter(Boolean).join(' ') || 'a GPU';
}
