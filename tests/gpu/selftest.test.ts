import { expect, test } from 'vitest';
import { inspectWebGpu } from '../../src/backend/choose.ts';
import { openDevice, WebGpuFailed } from '../../src/backend/webgpu/open.ts';
import { nodeHost } from '../../tools/node-ort.ts';
import { testDevice } from './support.ts';

test('a device that passes attention and 4-bit multiplication is found', async () => {
  const report = await inspectWebGpu(await nodeHost());
  expect(report.problem).toBeNull();
  const { selfTest } = report.attempts.at(-1)!;
  expect(selfTest.passed).toBe(true);
  expect(selfTest.attentionError).toBeLessThan(selfTest.tolerance);
  expect(selfTest.matMulError).toBeLessThan(selfTest.tolerance);
  expect(report.adapter?.limits.maxStorageBufferBindingSize).toBeGreaterThan(0);
});

test('a device whose attention is wrong is refused, with the figures', async ({ skip }) => {
  const device = await testDevice(true);
  const { subgroupMinSize } = device.adapterInfo;
  const hasSubgroups = device.features.has('subgroups');
  device.destroy();
  if (!hasSubgroups || subgroupMinSize !== 4) skip('only subgroups of four are known to fail');
  const opened = openDevice(await nodeHost(), 64, [true]);
  await expect(opened).rejects.toBeInstanceOf(WebGpuFailed);
  await expect(opened).rejects.toMatchObject({
    code: 'no-webgpu',
    message: expect.stringMatching(/with subgroups attention is off by \d/) as string,
  });
});
