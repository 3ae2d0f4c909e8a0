import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig, schemas, type FluxConfig } from '../../../src/convert/checkpoint/configs.ts';
import { t5Graph } from '../../../src/convert/graphs/components/t5.ts';
import { trunkGraph } from '../../../src/convert/graphs/components/trunk.ts';
import { QUANTIZATIONS } from '../../../src/convert/quantize/precision-policy.ts';
import {
  planT5,
  planTrunk,
  storedSizes,
  wholeTrunk,
  type Blocks,
} from '../../../src/convert/graphs/segments.ts';
import { FLUX, T5 } from './flux-dev.ts';
import { DataFiles, openSmallModel } from './flux-models.ts';

/** FLUX.1-dev's transformer and T5-XXL. */
const DEV: FluxConfig = parseConfig(schemas.flux, FLUX, 'config.json');
const XXL = parseConfig(schemas.t5, T5, 'config.json');

/** Whether these follow each other from 0 to `count`. */
function consecutive(parts: readonly Blocks[], count: number): boolean {
  const ends = [0, ...parts.map(({ to }) => to)];
  return parts.every(({ from, to }, i) => from === ends[i] && to >= from) && ends.at(-1) === count;
}

test('every block is in one segment, in order, however small or large the limit', () => {
  const plan = fc.record({
    doubles: fc.integer({ min: 0, max: 20 }),
    singles: fc.integer({ min: 0, max: 40 }),
    limit: fc.integer({ min: 1, max: 2 ** 33 }),
    quantization: fc.constantFrom(...QUANTIZATIONS),
  });
  fc.assert(
    fc.property(plan, ({ doubles, singles, limit, quantization }) => {
      const config = { ...DEV, num_layers: doubles, num_single_layers: singles };
      const segments = planTrunk(config, storedSizes(quantization), limit);
      const double = segments.map((segment) => segment.double);
      const single = segments.map((segment) => segment.single);
      expect(consecutive(double, doubles) && consecutive(single, singles)).toBe(true);
      if (doubles + singles > 0) {
        const blocks = segments.map(
          (_, i) => double[i]!.to - double[i]!.from + single[i]!.to - single[i]!.from,
        );
        expect(Math.min(...blocks)).toBeGreaterThan(0);
      }
      const blocks = planT5({ ...XXL, num_layers: singles + 1 }, storedSizes(quantization), limit);
      expect(consecutive(blocks, singles + 1)).toBe(true);
    }),
  );
});

test('full FLUX is cut in segments of at most 1 GiB', () => {
  expect(planTrunk(DEV, storedSizes('int8'))).toHaveLength(15);
  expect(planT5(XXL, storedSizes('int8'))).toHaveLength(6);
  // Without a limit that is reached, one.
  expect(planTrunk(DEV, storedSizes('int8'), 2 ** 40)).toEqual([wholeTrunk(DEV)]);
});

test.each(QUANTIZATIONS)(
  'a segment takes the bytes that were planned: %s',
  async (quantization) => {
    const sizes = storedSizes(quantization);
    const data = new DataFiles(quantization);
    for (const name of ['flux-guided', 'flux-plain']) {
      const model = await openSmallModel(name);
      const config = parseConfig(schemas.flux, model.config, name);
      const write = async (file: string, segment = wholeTrunk(config)) => {
        const weights = data.weights(file, model.tensors);
        await trunkGraph(config, 7, 'float32', weights, weights, segment);
        return data.folder.size(file);
      };
      // The least limit under which all is in one segment is what that segment takes.
      const least = leastLimit((limit) => planTrunk(config, sizes, limit).length === 1);
      const bytes = await write(`${name}.data`);
      // What is padded to its alignment comes on top.
      expect(bytes).toBeGreaterThanOrEqual(least);
      expect(bytes).toBeLessThan(1.15 * least);
    }
    const model = await openSmallModel('t5');
    const config = parseConfig(schemas.t5, model.config, 't5');
    const bias = data.weights('bias.data', model.tensors);
    await t5Graph(config, 17, data.weights('t5.data', model.tensors), bias);
    const bytes = await data.folder.size('t5.data');
    const least = leastLimit((limit) => planT5(config, sizes, limit).length === 1);
    expect(bytes).toBeGreaterThanOrEqual(least);
    expect(bytes).toBeLessThan(1.15 * least);
  },
);

/** The least number of bytes that is enough. */
function leastLimit(enough: (limit: number) => boolean): number {
  let [low, high] = [0, 2 ** 30];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
