import { expect, test } from 'vitest';
import { mayUseSubgroups, WebGpuFailed } from '../../../src/runtime/webgpu/open.ts';

const adapter = (subgroupMinSize: number, subgroupMaxSize: number, features = ['subgroups']) => ({
  features: new Set(features) as unknown as GPUSupportedFeatures,
  info: { subgroupMinSize, subgroupMaxSize } as GPUAdapterInfo,
});

test.each([
  ['none but of 4', adapter(4, 4), false],
  ['of 4 at least, of 32 in fact', adapter(4, 128), true],
  ['of 8', adapter(8, 8), true],
  ['of 32', adapter(32, 32), true],
  ['none', adapter(32, 32, []), false],
])('an adapter with subgroups %s', (_, { features, info }, expected) => {
  expect(mayUseSubgroups({ features, info })).toBe(expected);
});

test('a refused GPU is described by its first fault, a long one in short', () => {
  const of = (error: number, failure?: string) => ({
    subgroups: failure === undefined,
    selfTest: {
      precision: 'float16' as const,
      checks: [
        { name: 'attention' as const, words: 'attention', error: 0.001 },
        {
          name: 'block' as const,
          words: 'a transformer block',
          error,
          ...(failure && { failure }),
        },
      ],
      tolerance: 0.01,
      passed: false,
    },
  });
  const attempts = [of(0.09), of(NaN, `Shader 'Clip'\n  ${'x'.repeat(999)}`)];
  const { message, hint } = new WebGpuFailed(attempts, 'browser');
  expect(message).toContain('with subgroups a transformer block is off by 9.0 %, where 1.0 % is');
  expect(message).toContain("without subgroups a transformer block does not run (Shader 'Clip' xx");
  expect(message.length).toBeLessThan(450);
  expect(hint).toMatch(/browser/);
  expect(new WebGpuFailed(attempts, 'node').hint).not.toMatch(/browser/);
  expect(new WebGpuFailed([of(NaN)], 'node').message).toContain('a transformer block gives NaN');
});
