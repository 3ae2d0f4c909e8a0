/** Which backend runs, and why. */
import type { Bundle } from '../bundle/bundle.ts';
import { AppError } from '../shared/errors.ts';
import type { BackendChoice } from './kind.ts';
import type { Backend } from './backend.ts';
import { createCpuBackend } from './cpu/backend.ts';
import type { BackendHost } from './host.ts';
import { type BackendOptions, limitsFor } from './options.ts';
import { createWebGpuBackend } from './webgpu/backend.ts';
import { findAdapter, openDevice, WebGpuFailed, type WebGpuReport } from './webgpu/open.ts';

export type { BackendChoice, BackendOptions };

/**
 * Starts a backend on a bundle. `auto` takes the GPU unless there is none, it is a processor in
 * disguise, or it fails its self-test; the backend's `info.reason` says which.
 *
 * @throws AppError `no-webgpu` if the GPU was asked for by name and cannot run; `bad-bundle`
 *   if the graphs do not load; `bad-request` for a memory budget that is none.
 */
export async function chooseBackend(
  choice: BackendChoice,
  bundle: Bundle,
  host: BackendHost,
  options: BackendOptions = {},
): Promise<Backend> {
  switch (choice) {
    case 'cpu':
      return onCpu(bundle, host, 'The processor was asked for.', options);
    case 'webgpu':
      return onGpu(bundle, host, 'The GPU was asked for.', options);
    case 'auto': {
      const obstacle = await obstacleTo(host.gpu);
      if (obstacle) return onCpu(bundle, host, obstacle, options);
      try {
        return await onGpu(bundle, host, 'The GPU passed its self-test.', options);
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'no-webgpu')) throw error;
        return onCpu(bundle, host, `The processor runs. ${error.message}`, options);
      }
    }
  }
}

/** Why a GPU is not even tried, in one sentence; undefined if nothing speaks against it. */
export async function obstacleTo(gpu: GPU | undefined): Promise<string | undefined> {
  if (!gpu) return 'The processor runs, since there is no WebGPU here.';
  const adapter = await findAdapter(gpu);
  if (!adapter) return 'The processor runs, since WebGPU finds no GPU here.';
  if (!adapter.software) return undefined;
  return 'The processor runs, since the only GPU here is one in software, which is slower.';
}

async function onGpu(
  bundle: Bundle,
  host: BackendHost,
  reason: string,
  options: BackendOptions,
): Promise<Backend> {
  const limits = limitsFor('webgpu', host, options);
  const { headWidth } = bundle.manifest.transformer;
  const opened = await openDevice(host, headWidth);
  try {
    return await createWebGpuBackend(
      bundle,
      host,
      opened,
      { adapter: opened.name, reason },
      limits,
    );
  } catch (error) {
    opened.watch.device.destroy();
    throw error;
  }
}

async function onCpu(
  bundle: Bundle,
  host: BackendHost,
  reason: string,
  options: BackendOptions,
): Promise<Backend> {
  const limits = limitsFor('cpu', host, options);
  return createCpuBackend(bundle, await host.ort.cpu(), reason, limits);
}

/** What is to be said of this machine's GPU, with the self-test's figures; starts no backend. */
export async function inspectWebGpu(
  host: BackendHost,
  headWidth = 64,
): Promise<WebGpuReport & { readonly problem: string | null }> {
  try {
    const { watch, report } = await openDevice(host, headWidth);
    watch.device.destroy();
    return { ...report, problem: null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const adapter = await findAdapter(host.gpu);
    const attempts = error instanceof WebGpuFailed ? error.attempts : [];
    return { adapter, attempts, problem: error.message };
  }
}
