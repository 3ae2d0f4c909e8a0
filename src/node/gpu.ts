/** WebGPU in Node, by the `webgpu` package (Dawn). */
import { existsSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { create, globals } from 'webgpu';
import { chooseVulkan, type VulkanDriver } from './vulkan.ts';

/** Keeps a library loaded when `dlopen`'s handle is closed (glibc's RTLD_NODELETE). */
const NO_DELETE = 0x1000;

let provided: GPU | undefined;
let driver: VulkanDriver | undefined;

/** The Vulkan driver that WebGPU runs on here, for people. */
export function vulkanInUse(): string {
  nodeGpu();
  return driver!.words;
}

/**
 * `navigator.gpu` for Node, made once: it also defines WebGPU's globals and a `navigator`, which
 * ONNX Runtime looks for. Its driver is chosen by name: vulkan.ts.
 *
 * @throws AppError if the driver that is named is not there.
 */
export function nodeGpu(): GPU {
  if (provided) return provided;
  driver = chooseVulkan();
  if (driver.manifest !== undefined) useOnly(driver.manifest);
  Object.assign(globalThis, globals);
  provided = create([]);
  Object.defineProperty(globalThis, 'navigator', {
    value: {
      gpu: provided,
      hardwareConcurrency: availableParallelism(),
      userAgent: `Node.js/${process.versions.node}`,
    },
    configurable: true,
    writable: true,
  });
  copySharedWrites();
  return provided;
}

/** Makes a driver the only one, whatever else is installed or configured. */
function useOnly(manifest: string): void {
  // The old name and the new one: a loader reads either, and they must not disagree.
  process.env.VK_ICD_FILENAMES = manifest;
  process.env.VK_DRIVER_FILES = manifest;
  delete process.env.VK_ADD_DRIVER_FILES;
  // Dawn looks for libvulkan.so.1 by name; Chromium brings its own where no linker searches.
  // Loaded beforehand it is found. It is no Node module, which is what the error says.
  const loader = join(dirname(manifest), 'libvulkan.so.1');
  if (!existsSync(loader)) return;
  try {
    process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | NO_DELETE);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('self-register')) throw error;
  }
}

/** Dawn's binding refuses views of shared memory, which is where threaded wasm keeps its heap. */
function copySharedWrites(): void {
  const { prototype } = GPUQueue;
  const { writeBuffer } = prototype;
  prototype.writeBuffer = function (
    this: GPUQueue,
    ...[buffer, offset, data, start, size]: Parameters<typeof writeBuffer>
  ): undefined {
    const shared = ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
    writeBuffer.call(this, buffer, offset, shared ? unshared(data) : data, start, size);
  };
}

/** The same numbers in memory of its own; the type stays, since offsets count in elements. */
function unshared(data: ArrayBufferView): ArrayBufferView<ArrayBuffer> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer;
  const View = data.constructor as new (buffer: ArrayBuffer) => ArrayBufferView<ArrayBuffer>;
  return new View(bytes);
}
