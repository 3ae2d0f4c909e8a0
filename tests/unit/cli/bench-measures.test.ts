import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../../src/bundle/manifest.ts';
import { spread, summarize } from '../../../cli/bench/summary.ts';
import { fullRun } from '../../../cli/bench/methods.ts';
import { callFlops, runFlops } from '../../../cli/lib/flops.ts';
import { psnr } from '../../../cli/lib/psnr.ts';
import { ssim } from '../../../cli/lib/ssim.ts';
import { mean, median, quantile, relativeError } from '../../../src/shared/statistics.ts';
import { lineOf } from './bench-engine.ts';

test('PSNR is over colours of 8 bits and leaves alpha out', () => {
  const a = new Uint8ClampedArray([0, 0, 0, 255, 10, 10, 10, 255]);
  expect(psnr(a, a)).toBe(Infinity);
  const alphaOnly = a.slice();
  alphaOnly[3] = 0;
  expect(psnr(a, alphaOnly)).toBe(Infinity);
  const b = a.slice();
  b[0] = 6; // mean square 36/6
  expect(psnr(a, b)).toBeCloseTo(10 * Math.log10(255 ** 2 / 6), 10);
  expect(() => psnr(a, a.slice(4))).toThrow(RangeError);
});

describe('SSIM', () => {
  const [width, height] = [24, 20];
  const picture = (pixel: (x: number, y: number) => [number, number, number]) =>
    Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
      i % 4 === 3 ? 255 : pixel((i >> 2) % width, Math.floor((i >> 2) / width))[i % 4]!,
    );
  const pattern =
    (k: number) =>
    (x: number, y: number): [number, number, number] => [
      (x * (7 + k) + y * 13 + x * y * k) % 256,
      (x * 5 + y * (11 + k)) % 256,
      (x * x + y * 3 * (k + 1)) % 256,
    ];
  const a = picture(pattern(0));

  // scikit-image 0.26: structural_similarity(luma of a, luma of b, gaussian_weights=True,
  // sigma=1.5, use_sample_covariance=False, data_range=255), luma = .299 R + .587 G + .114 B.
  test('is that of scikit-image', () => {
    const noisy = picture((x, y) => {
      const noise = ((x * 31 + y * 17) % 23) - 11;
      const [r, g, b] = pattern(0)(x, y);
      return [r + noise, g + noise, b + noise];
    });
    expect(ssim(a, noisy, width, height)).toBeCloseTo(0.9554119572624927, 9);
    expect(ssim(a, picture(pattern(2)), width, height)).toBeCloseTo(0.24439152682929938, 9);
  });

  test('is 1 for equal pictures, and symmetric', () => {
    const b = picture(pattern(1));
    expect(ssim(a, a, width, height)).toBeCloseTo(1, 12);
    expect(ssim(a, b, width, height)).toBeCloseTo(ssim(b, a, width, height), 12);
  });

  test('refuses what is not two pictures of that size', () => {
    expect(() => ssim(a, a.slice(4), width, height)).toThrow(RangeError);
    expect(() => ssim(a, a, width + 1, height)).toThrow(RangeError);
    expect(() => ssim(a.slice(0, 400), a.slice(0, 400), 10, 10)).toThrow(RangeError);
  });
});

describe('statistics', () => {
  // numpy.quantile([3, 1, 2, 10], q)
  test.each([
    [0, 1],
    [0.1, 1.3],
    [0.5, 2.5],
    [0.9, 7.9],
    [1, 10],
  ])('quantile %f is %f', (q, expected) => {
    expect(quantile([3, 1, 2, 10], q)).toBeCloseTo(expected, 12);
  });

  test('infinities stay at their end', () => {
    expect(median([Infinity, Infinity, Infinity])).toBe(Infinity);
    expect(quantile([1, 2, Infinity], 0.5)).toBe(2);
    expect(quantile([1, 2, 3, Infinity], 0.9)).toBe(Infinity);
    expect(spread([30, Infinity, Infinity])).toEqual({ median: null, p10: null, p90: null });
    expect(spread([30, 30, Infinity]).median).toBe(30);
  });

  test('nothing has no statistics', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
    expect(() => mean([])).toThrow(RangeError);
  });

  test('relative error', () => {
    expect(relativeError(Float32Array.of(3, 0), Float32Array.of(3, 4))).toBeCloseTo(4 / 5, 12);
    expect(() => relativeError(new Float32Array(1), new Float32Array(2))).toThrow(RangeError);
  });
});

describe('FLOPs', () => {
  /** Sizes of a small model. */
  const small = {
    transformer: {
      hidden: 256,
      heads: 4,
      headWidth: 64,
      axes: [16, 24, 24],
      doubleBlocks: 2,
      singleBlocks: 6,
      latentWidth: 64,
      textWidth: 192,
      pooledWidth: 128,
      guidance: false,
    },
    text: { t5Tokens: 24, clipTokens: 24 },
  } satisfies Pick<Manifest, 'transformer' | 'text'>;

  // torch.utils.flop_counter.FlopCounterMode over diffusers' FluxTransformer2DModel of these sizes,
  // 64 image tokens, attention by torch's math backend. It embeds time and prompt once.
  test('of trunk and head are those of the PyTorch model', () => {
    const { trunk, head } = callFlops(small, 64);
    const embedding = 2 * (256 * 256 + 256 * 256 + 128 * 256 + 256 * 256);
    expect(trunk + head - embedding).toBe(1_183_514_624);
    expect(head).toBe(embedding + 2 * (2 * 256 * 256 + 64 * 256 * 64));

    // The guidance scale goes through layers of the flow time's sizes.
    const transformer = { ...small.transformer, guidance: true };
    const guided = callFlops({ ...small, transformer }, 64);
    expect(guided.trunk - trunk).toBe(2 * (256 * 256 + 256 * 256));
    expect(guided.head - head).toBe(2 * (256 * 256 + 256 * 256));
  });

  test('of a run add up its calls', () => {
    const calls = { trunk: 2, head: 3, feature: 5 };
    expect(runFlops(calls, { trunk: 100, head: 10, feature: 1 })).toBe(235);
  });
});

test('a summary has medians over the prompts, and null for what is infinite', () => {
  const flops = { trunk: 10, head: 0, feature: 0 };
  const calls = (trunk: number) => ({ trunk, head: trunk, feature: 0 });
  const full = [0, 1, 2].map((n) => lineOf({ case: n, calls: calls(50) }));
  const lines = [
    lineOf({ computed: 4, calls: calls(4), seconds: { total: 2, denoise: 1 }, psnr: null }),
    lineOf({ computed: 5, calls: calls(5), seconds: { total: 4, denoise: 3.5 }, psnr: 20 }),
    lineOf({
      computed: 6,
      calls: calls(6),
      seconds: { total: 1, denoise: 0.5 },
      latentError: null,
    }),
  ];
  expect(summarize(fullRun(50), lines, full, flops, { object: 0.5, background: 1 })).toMatchObject({
    computed: 5,
    flopsRatio: 10,
    totalRatio: 4,
    denoiseRatio: 7,
    seconds: { total: 2, denoise: 1 },
    forecastCost: null,
    psnr: { median: 30, p10: 22, p90: null },
    latentError: { median: 0.1, p10: 0.1, p90: null },
    accuracy: { object: 0.5, background: 1 },
  });
});
