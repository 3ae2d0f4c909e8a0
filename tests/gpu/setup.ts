import process from 'node:process';
import { describeAdapter, adapterName, requestAdapter } from '../../src/gpu/device.ts';
import { installedChromium } from '../../scripts/chromium.ts';
import { nodeGpu, vulkanInUse } from '../../src/node/gpu.ts';

/**
 * Names the Vulkan driver of the GPU tests, which inherit it, and prints what they run on. SwiftShader
 * unless HICACHE_VULKAN says otherwise: what is installed beside it must not change what is tested.
 */
export default async function setup(): Promise<void> {
  process.env.HICACHE_VULKAN ??= process.platform === 'linux' ? 'swiftshader' : 'system';
  const chromium = installedChromium();
  if (chromium) process.env.CHROMIUM_PATH ??= chromium;
  const driver = vulkanInUse();
  const adapter = await requestAdapter(nodeGpu());
  const name = adapter ? adapterName(describeAdapter(adapter)) : 'none';
  console.log(`GPU tests: Vulkan driver ${driver}; adapter ${name}.`);
}
