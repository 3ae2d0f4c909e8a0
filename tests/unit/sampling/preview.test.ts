import { afterEach, expect, test, vi } from 'vitest';
import type { GenerateEvent } from '../../../src/sampling/job.ts';
import { Previewer, previewPicture } from '../../../src/sampling/preview.ts';
import { AnalyticBackend } from '../support/analytic-backend.ts';
import { testManifest } from '../support/manifest.ts';

const grid = { rows: 1, columns: 2 };

afterEach(() => {
  vi.restoreAllMocks();
});

test('channels become colours by the linear map, clamped, opaque', () => {
  // Two channels: entry c*4 + dy*2 + dx of a token.
  const estimate = new Float32Array(2 * 8);
  estimate[0] = 0.5; // token 0, channel 0, top left
  estimate[4] = 1; // the same latent's channel 1
  estimate[8 + 4 + 3] = 9; // token 1, channel 1, bottom right
  const { width, height, pixels } = previewPicture(estimate, grid, {
    factors: [
      [0.4, 0, 0],
      [0, 0.2, -1],
    ],
    bias: [0, 0.2, 0.5],
  });
  expect([width, height]).toEqual([4, 2]);
  const plain = [0, 51, 128, 255];
  expect([...pixels.slice(0, 4)]).toEqual([51, 102, 0, 255]);
  expect([...pixels.slice(4, 8)]).toEqual(plain);
  expect([...pixels.slice(28)]).toEqual([0, 255, 0, 255]);
});

test('previews keep their distance, and a greater one where they are slow', async () => {
  let now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const backend = new AnalyticBackend();
  const run = await backend.begin(new Float32Array(2 * 64));
  await run.runTrunk(1);
  await run.head(1);
  const events: GenerateEvent[] = [];
  const previewer = new Previewer(run, grid, testManifest().preview);
  const showAt = async (time: number): Promise<number> => {
    now = time;
    await previewer.showIfDue(0.5, (event) => events.push(event));
    return events.length;
  };
  expect(await showAt(1000)).toBe(1);
  expect(await showAt(1149)).toBe(1);
  expect(await showAt(1150)).toBe(2);

  vi.spyOn(run, 'estimate').mockImplementation(() => {
    now += 100;
    return Promise.resolve(new Float32Array(2 * 64));
  });
  expect(await showAt(2000)).toBe(3); // ends at 2100, took 100
  expect(await showAt(2899)).toBe(3);
  expect(await showAt(2900)).toBe(4);
});

test('a preview decoder comes before the map, and needs none', async () => {
  const backend = new AnalyticBackend();
  backend.previews = true;
  const run = await backend.begin(new Float32Array(2 * 64));
  for (const map of [testManifest().preview, undefined]) {
    const events: GenerateEvent[] = [];
    const previewer = new Previewer(run, grid, map);
    await previewer.showIfDue(0.5, (event) => events.push(event));
    expect(events).toMatchObject([{ kind: 'preview', width: 32, height: 32 }]);
    // It keeps its distance too.
    await previewer.showIfDue(0.4, (event) => events.push(event));
    expect(events).toHaveLength(1);
  }
  expect(backend.calls).toEqual(['preview', 'preview']);
});

test('a model without a decoder and without a map has no previews', async () => {
  const backend = new AnalyticBackend();
  const run = await backend.begin(new Float32Array(2 * 64));
  await new Previewer(run, grid, undefined).showIfDue(0.5, () => {
    throw new Error('no preview was to come');
  });
  expect(backend.calls).not.toContain('estimate');
});
