/** The thread that keeps models: it lists, imports, checks and removes them while pictures are made elsewhere. */
import { expose } from 'comlink';
import { createGpuQuantizer } from '../../convert/quantize/gpu-quantizer.ts';
import { describeAdapter, requestAdapter, requestDevice } from '../../gpu/device.ts';
import { DeviceWatch } from '../../gpu/watch.ts';
import { keepsFiles, openBrowserStore } from '../../bundle/store/browser.ts';
import { AppError } from '../../shared/errors.ts';
import { cpuQuantizer, type Quantizer } from '../../convert/quantize/quantizer.ts';
import quantizeShader from '../../../shaders/quantize.wgsl?raw';
import { registerErrorHandler } from '../rpc.ts';
import { importModel } from './import.ts';
import type { LibraryApi } from './api.ts';
import { withTimeLeft } from './progress.ts';

let running: AbortController | undefined;

const api: LibraryApi = {
  async list() {
    if (!(await keepsFiles())) return { models: [], space: null };
    const store = await openBrowserStore();
    return { models: await store.list(), space: await store.space() };
  },

  async import(request, onProgress) {
    if (running) throw busy();
    const abort = new AbortController();
    running = abort;
    try {
      return await importModel(await openBrowserStore(), request, {
        signal: abort.signal,
        onProgress: throttled(onProgress),
        quantizer: usualQuantizer,
      });
    } finally {
      running = undefined;
    }
  },

  async cancel() {
    running?.abort();
  },

  async remove(id) {
    await (await openBrowserStore()).remove(id);
  },

  async verify(id, onProgress) {
    const report = withTimeLeft('Checking', throttled(onProgress));
    const store = await openBrowserStore();
    return store.verify(id, ({ what, loadedBytes, totalBytes }) =>
      report(what, loadedBytes, totalBytes),
    );
  },
};

/** The GPU if there is a real one that computes right; else this thread. */
async function usualQuantizer(): Promise<Quantizer> {
  const adapter = navigator.gpu && (await requestAdapter(navigator.gpu));
  if (!adapter || describeAdapter(adapter).software) return cpuQuantizer();
  const device = await requestDevice(adapter, false);
  try {
    const quantizer = await createGpuQuantizer(
      new DeviceWatch(device, 'conversion'),
      quantizeShader,
    );
    return {
      quantize: (...rows) => quantizer.quantize(...rows),
      dispose() {
        quantizer.dispose();
        device.destroy();
      },
    };
  } catch (error) {
    device.destroy();
    if (error instanceof AppError && error.code !== 'device-lost') return cpuQuantizer();
    throw error;
  }
}

const PAUSE_MS = 100;

/** A message for every weight would be too many; the first and the last always arrive. */
function throttled<T extends { readonly doneBytes: number; readonly totalBytes: number }>(
  report: (progress: T) => void,
): (progress: T) => void {
  let last = -Infinity;
  return (progress) => {
    const now = performance.now();
    if (now - last < PAUSE_MS && progress.doneBytes < progress.totalBytes) return;
    last = now;
    report(progress);
  };
}

function busy(): AppError {
  return new AppError(
    'busy',
    'A model is being imported already.',
    'Wait until it is done, or cancel it.',
  );
}

registerErrorHandler();
expose(api);
