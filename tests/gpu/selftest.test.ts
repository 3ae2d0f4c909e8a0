import { expect, test } from 'vitest';
import { inspectWebGpu } from '../../src/runtime/choose.ts';
import { openDevice, WebGpuFailed } from '../../src/runtime/webgpu/open.ts';
import { nodeHost } from '../../src/node/ort.ts';
import { testDevice } from './support.ts';

test('a device that computes a small transformer block right is found', async () => {
  const report = await inspectWebGpu(await nodeHost());
  expect(report.problem).toBeNull();
  const { selfTest } = report.attempts.at(-1)!;
  expect(selfTest.passed).toBe(true);
  expect(selfTest.checks.map(({ name }) => name)).toEqual([
    'attention',
    'matmul-4bit',
    'clipping',
    'block',
  ]);
  for (const { error, words } of selfTest.checks) {
    expect(error, words).toBeLessThan(selfTest.tolerance);
  }
  expect(report.adapter?.limits.maxStorageBufferBindingSize).toBeGreaterThan(0);
});

test('a device whose attention is wrong is refused, with the figures', async ({ skip }) => {
  const device = await testDevice(true);
  const { subgroupMaxSize } = device.adapterInfo;
  const hasSubgroups = device.features.has('subgroups');
  device.destroy();
  if (!hasSubgroups || subgroupMaxSize > 16)
    skip('only subgroups of 4, 8 and 16 are known to fail');
  const opened = openDevice(await nodeHost(), 64, [true]);
  await expect(opened).rejects.toBeInstanceOf(WebGpuFailed);
  await expect(opened).rejects.toMatchObject({
    code: 'no-webgpu',
    message: expect.stringMatching(/with subgroups attention is off by \d/) as string,
  });
});
