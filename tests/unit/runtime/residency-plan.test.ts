import { describe, expect, test } from 'vitest';
import { defaultBudget } from '../../../src/runtime/memory/budget.ts';
import { type ComponentUse, residencyPlan } from '../../../src/runtime/memory/residency-plan.ts';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { testManifest } from '../support/manifest.ts';

const GB = 1e9;

/** Sizes about as a FLUX.1 has them in 4 bits: T5 in five segments, the trunk in seven. */
function fluxManifest(): Manifest {
  const files: Manifest['files'] = {};
  const piece = (name: string, bytes: number) => {
    files[name] = { bytes, sha256: '0'.repeat(64) };
    return { graph: name, data: [] };
  };
  const both = (name: string, bytes: number) => {
    const files = piece(name, bytes);
    return { float32: files, float16: files };
  };
  const list = (name: string, count: number, bytes: number) => {
    const pieces = Array.from({ length: count }, (_, i) => piece(`${name}/${i}`, bytes));
    return { float32: pieces, float16: pieces };
  };
  const manifest = testManifest(files);
  return {
    ...manifest,
    transformer: { ...manifest.transformer, hidden: 3072, textWidth: 4096 },
    text: { t5Tokens: 512, clipTokens: 77 },
    sizes: [{ width: 1024, height: 1024 }],
    components: {
      t5: list('t5', 5, GB),
      clip: both('clip', 0.13 * GB),
      trunk: list('trunk', 7, 0.95 * GB),
      head: both('head', 0.06 * GB),
      decoder: both('decoder', 0.1 * GB),
      encoder: both('encoder', 0.07 * GB),
      previewer: both('previewer', 0.003 * GB),
    },
  };
}

const manifest = fluxManifest();
const uses = (budget: number): Record<string, ComponentUse> =>
  Object.fromEntries(
    residencyPlan(manifest, 'float16', budget).components.map(({ component, use }) => [
      component,
      use,
    ]),
  );

describe('a FLUX.1', () => {
  test('is resident as a whole where there is room', () => {
    const plan = residencyPlan(manifest, 'float16', 24 * GB);
    expect(plan.components.filter(({ use }) => use !== 'resident')).toEqual([
      expect.objectContaining({ component: 'encoder', use: 'unused' }),
    ]);
    expect(plan.peak).toBeLessThan(24 * GB);
    expect(plan.components.map(({ reloadedBytes }) => reloadedBytes)).toEqual(Array(7).fill(0));
  });

  test('in 8 GiB keeps all but its text encoder, which comes in segments', () => {
    const plan = residencyPlan(manifest, 'float16', 2 ** 33);
    const t5 = plan.components.find(({ component }) => component === 't5')!;
    expect(t5).toMatchObject({
      use: 'swapped',
      segments: 5,
      bytes: 5 * GB,
      words: 'text encoder T5',
    });
    expect(uses(2 ** 33)).toMatchObject({
      trunk: 'resident',
      head: 'resident',
      previewer: 'resident',
      decoder: 'resident',
    });
    expect(plan.peak).toBeLessThanOrEqual(2 ** 33);
  });

  test('in 7 GiB keeps its trunk through the steps of a picture', () => {
    const plan = residencyPlan(manifest, 'float16', 7.6e9);
    const trunk = plan.components.find(({ component }) => component === 'trunk')!;
    expect(trunk.use).toBe('swapped');
    // Not the whole trunk makes way for the others.
    expect(trunk.reloadedBytes).toBeLessThanOrEqual(2 * 0.95 * GB);
    expect(plan.peak).toBeLessThanOrEqual(7.6e9);
  });

  test('in 4 GiB streams a part of its trunk, and shows no previews by a decoder', () => {
    const plan = residencyPlan(manifest, 'float16', 2 ** 32);
    expect(uses(2 ** 32)).toMatchObject({ trunk: 'streamed', previewer: 'unused' });
    const trunk = plan.components.find(({ component }) => component === 'trunk')!;
    expect(trunk.reloadedBytes).toBeCloseTo(5 * 0.95 * GB);
    expect(plan.peak).toBeLessThanOrEqual(2 ** 32);
  });

  test('in too little says what it really takes', () => {
    const plan = residencyPlan(manifest, 'float16', GB);
    expect(plan.peak).toBeGreaterThan(GB);
  });

  test('whose trunk is in one piece loads it once for a picture, however little there is', () => {
    const list = [manifest.components.t5.float16[0]!];
    const inOnePiece = {
      ...manifest,
      components: { ...manifest.components, trunk: { float16: list, float32: list } },
    };
    const plan = residencyPlan(inOnePiece, 'float16', GB);
    const trunk = plan.components.find(({ component }) => component === 'trunk')!;
    expect(trunk).toMatchObject({ segments: 1, use: 'swapped', reloadedBytes: GB });
  });

  test('is plain data, and a budget that is none is refused', () => {
    const plan = residencyPlan(manifest, 'float16', 2 ** 33);
    expect(structuredClone(plan)).toEqual(plan);
    expect(() => residencyPlan(manifest, 'float16', 0)).toThrow('must be a number of bytes');
  });
});

test.each([
  ['webgpu', undefined, 8],
  ['webgpu', 8, 8],
  ['webgpu', 4, 2],
  ['webgpu', 12, 8],
  ['webgpu', 64, 32],
  ['cpu', undefined, 3],
  ['cpu', 64, 3],
  ['cpu', 4, 2],
] as const)('%s on a machine of %s GiB takes %s', (kind, memory, budget) => {
  const bytes = memory === undefined ? undefined : memory * 2 ** 30;
  expect(defaultBudget(kind, bytes)).toBe(budget * 2 ** 30);
});
