/**
 * The web worker as surroundings of the backends: each build of ONNX Runtime is its own chunk,
 * loaded only when its backend starts, and takes its wasm from this site.
 */
import type { BackendHost, OrtModule } from '../../runtime/host.ts';
import type { Ort } from '../../runtime/ort/session.ts';
import asyncifyModule from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import asyncifyWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspiModule from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import jspiWasm from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import cpuModule from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import cpuWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import eulerStep from '../../../shaders/euler_step.wgsl?raw';
import forecast from '../../../shaders/forecast.wgsl?raw';
import gram from '../../../shaders/gram.wgsl?raw';

/** `siteUrl`: absolute address of the page's folder, which ends in a slash. */
export function workerHost(siteUrl: string): BackendHost {
  return {
    surroundings: 'browser',
    gpu: navigator.gpu,
    memoryBytes: machineMemory(),
    ort: { webgpu: loadWebGpuBuild, cpu: loadCpuBuild },
    shaders: { forecast, eulerStep, gram },
    async selfTestFile(name) {
      const response = await fetch(new URL(`selftest/${name}`, siteUrl));
      if (!response.ok) throw new Error(`selftest/${name} answers ${response.status}.`);
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}

/** Rounded, and by many browsers not told. */
function machineMemory(): number | undefined {
  const { deviceMemory } = navigator as { readonly deviceMemory?: number };
  return deviceMemory === undefined ? undefined : deviceMemory * 2 ** 30;
}

async function loadWebGpuBuild(): Promise<OrtModule> {
  // JSPI calls cost about half of asyncify's and its wasm is 10 MB smaller.
  return 'Suspending' in WebAssembly
    ? { ...withFiles(await import('onnxruntime-web/jspi'), jspiModule, jspiWasm), readsBlobs: true }
    : withFiles(await import('onnxruntime-web/webgpu'), asyncifyModule, asyncifyWasm);
}

async function loadCpuBuild(): Promise<OrtModule> {
  return withFiles(await import('onnxruntime-web/wasm'), cpuModule, cpuWasm);
}

function withFiles(ort: Ort, mjs: string, wasm: string): OrtModule {
  const here = self.location.href;
  ort.env.wasm.wasmPaths = { mjs: new URL(mjs, here).href, wasm: new URL(wasm, here).href };
  return { ort };
}
