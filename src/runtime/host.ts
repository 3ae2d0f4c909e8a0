/**
 * What the surroundings (a web worker or Node) give the backends: they load modules and files
 * in their own way, and the backends stay the same.
 */
import type { Ort } from './ort/session.ts';

export interface OrtModule {
  /** The module, with `env.wasm.wasmPaths` already set where it cannot find its wasm itself. */
  readonly ort: Ort;
  /** Threads for the CPU build; left out, what the browser allows (cpu/threads.ts). */
  readonly threads?: number;
  /**
   * Whether a session's external data may be Blobs, which it reads piece by piece: the JSPI build.
   * The others would read them as a whole, so they are given bytes.
   */
  readonly readsBlobs?: boolean;
}

/** The text of the files of the same names in shaders/. */
export interface ShaderSources {
  readonly forecast: string;
  readonly eulerStep: string;
  readonly gram: string;
}

export interface BackendHost {
  /** What people can change where there is no usable GPU: the browser, or drivers and options. */
  readonly surroundings: 'browser' | 'node';
  /** `navigator.gpu`; undefined where there is no WebGPU. */
  readonly gpu: GPU | undefined;
  /** Memory of the machine in bytes, where it is known. */
  readonly memoryBytes?: number | undefined;
  /** Module loaders, called only for the backend that needs them. */
  readonly ort: {
    /** `onnxruntime-web/jspi` where WebAssembly can suspend, else `onnxruntime-web/webgpu`. */
    webgpu(): Promise<OrtModule>;
    /** `onnxruntime-web/wasm`. */
    cpu(): Promise<OrtModule>;
  };
  readonly shaders: ShaderSources;
  /** Reads a file of public/selftest/ by its name. */
  selfTestFile(name: string): Promise<Uint8Array<ArrayBuffer>>;
}
