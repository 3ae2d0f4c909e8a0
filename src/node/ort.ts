/** ONNX Runtime's web builds in Node, and the rest of what a backend asks of its host. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { BackendHost, OrtModule } from '../runtime/host.ts';
import { nodeGpu } from './gpu.ts';

const root = new URL('../../', import.meta.url);

/** The same engine as in the browser: Node's WebGPU, ONNX Runtime's wasm, files from this folder. */
export async function nodeHost(): Promise<BackendHost> {
  const text = (path: string) => readFile(new URL(path, root), 'utf8');
  return {
    surroundings: 'node',
    gpu: nodeGpu(),
    memoryBytes: totalmem(),
    ort: { webgpu: ortWebGpu, cpu: ortCpu },
    shaders: {
      forecast: await text('shaders/forecast.wgsl'),
      eulerStep: await text('shaders/euler_step.wgsl'),
      gram: await text('shaders/gram.wgsl'),
    },
    selfTestFile: async (name) =>
      new Uint8Array(await readFile(new URL(`public/selftest/${name}`, root))),
  };
}

/**
 * Node 20 cannot suspend WebAssembly, so this is the asyncify build. Its functions are so large
 * that V8's optimizing compiler takes 40 s of processor time over them, and Node waits for it;
 * the baseline compiler is enough here, since the GPU does the work.
 */
export async function ortWebGpu(): Promise<OrtModule> {
  nodeGpu();
  setFlagsFromString('--liftoff-only');
  return configured(await import('onnxruntime-web/webgpu'));
}

export async function ortCpu(): Promise<OrtModule> {
  setFlagsFromString('--no-liftoff-only');
  return configured(await import('onnxruntime-web/wasm'));
}

function configured(ort: OrtModule['ort']): OrtModule {
  ort.env.wasm.wasmPaths = fileURLToPath(new URL('node_modules/onnxruntime-web/dist/', root));
  return { ort, threads: availableParallelism() };
}
