/** Merged LoRAs, held to PEFT and diffusers: training/lora_goldens.py, at strength 0.5. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loraFrom } from '../../../src/convert/checkpoint/lora-file.ts';
import { modelWithLoras, withLora, type Lora } from '../../../src/convert/checkpoint/lora.ts';
import type { ModelParts } from '../../../src/convert/checkpoint/model-parts.ts';
import { openFile, type Checkpoint } from '../../../src/convert/checkpoint/safetensors.ts';
import { readAll } from '../../../src/convert/checkpoint/tensors.ts';
import { FolderSource } from '../../../src/node/source-folder.ts';
import { MemoryFiles, safetensorsFile } from './memory.ts';
import { MemoryTensors } from './tensors.ts';

const golden = new FolderSource('tests/golden');
const open = (path: string): Promise<Checkpoint> => openFile(golden, `${path}.safetensors`);

test.each(['peft', 'kohya'])('%s', async (kind) => {
  const base = await open('layouts/bfl-diffusers');
  const merged = await open('lora/merged');
  const changed = withLora(base, [loraFrom(await open(`lora/${kind}`), 0.5)]);
  expect([...changed.names()]).toEqual([...base.names()]);
  const expected = [...merged.names()].filter((name) => name.startsWith(`${kind}.`));
  for (const name of base.names()) {
    const own = `${kind}.${name}`;
    const values = await readAll(changed, name);
    if (!expected.includes(own)) {
      expect(values, name).toEqual(await readAll(base, name));
      continue;
    }
    const said = await readAll(merged, own);
    const error = Math.max(...values.map((value, i) => Math.abs(value - said[i]!)));
    expect(error, name).toBeLessThan(1e-5);
    expect(values, name).not.toEqual(await readAll(base, name));
  }
  expect(expected.length).toBeGreaterThan(3);
});

const numbers = (count: number): fc.Arbitrary<Float32Array> =>
  fc
    .array(fc.integer({ min: -8, max: 8 }), { minLength: count, maxLength: count })
    .map((values) => Float32Array.from(values, (value) => value / 4));

test('any rows are those of the whole sum, of several LoRAs', async () => {
  const size = fc.integer({ min: 1, max: 5 });
  const cases = fc.tuple(size, size, size, size).chain(([outputs, inputs, one, other]) =>
    fc.record({
      outputs: fc.constant(outputs),
      inputs: fc.constant(inputs),
      weight: numbers(outputs * inputs),
      loras: fc.tuple(
        ...[one, other].map((rank) =>
          fc.record({
            rank: fc.constant(rank),
            up: numbers(outputs * rank),
            down: numbers(rank * inputs),
            alpha: fc.option(fc.constantFrom(1, 2, 0.5), { nil: undefined }),
            strength: fc.constantFrom(1, 0.25, -1),
          }),
        ),
      ),
      rows: fc.tuple(fc.nat(outputs), fc.nat(outputs)),
    }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ outputs, inputs, weight, loras, rows }) => {
      const expected = Float64Array.from(weight);
      const given = loras.map(({ rank, up, down, alpha, strength }): Lora => {
        const scale = (strength * (alpha ?? rank)) / rank;
        for (let row = 0; row < outputs; row++) {
          for (let column = 0; column < inputs; column++) {
            for (let k = 0; k < rank; k++) {
              expected[row * inputs + column]! +=
                scale * up[row * rank + k]! * down[k * inputs + column]!;
            }
          }
        }
        const tensors = new MemoryTensors()
          .add('transformer.a.b.lora_A.weight', [rank, inputs], down)
          .add('transformer.a.b.lora_B.weight', [outputs, rank], up);
        if (alpha !== undefined) tensors.add('transformer.a.b.alpha', [], Float32Array.of(alpha));
        return { tensors, strength };
      });
      const base = new MemoryTensors().add('a.b.weight', [outputs, inputs], weight);
      const [from, to] = [Math.min(...rows), Math.max(...rows)];
      const found = await withLora(base, given).rows('a.b.weight', from, to);
      const slice = expected.slice(from * inputs, to * inputs);
      expect(found).toHaveLength(slice.length);
      for (const [i, value] of slice.entries()) expect(found[i]).toBeCloseTo(value, 4);
    }),
  );
});

/** A part of one matrix [2, 3] that is all ones, and a LoRA of rank 1 under the given names. */
const BASE = (module: string): MemoryTensors =>
  new MemoryTensors().add(`${module}.weight`, [2, 3], new Float32Array(6).fill(1));
const LORA = (down: string, up: string): MemoryTensors =>
  new MemoryTensors('lora.safetensors')
    .add(down, [1, 3], Float32Array.of(1, 2, 3))
    .add(up, [2, 1], Float32Array.of(1, 10));
const MERGED = [2, 3, 4, 11, 21, 31];

test.each([
  ['transformer.a.to_q.lora_A.weight', 'transformer.a.to_q.lora_B.weight'],
  [
    'base_model.model.a.to_q.lora_A.default.weight',
    'base_model.model.a.to_q.lora_B.default.weight',
  ],
  ['a.to_q.lora.down.weight', 'a.to_q.lora.up.weight'],
  ['diffusion_model.a.to_q.lora_down.weight', 'diffusion_model.a.to_q.lora_up.weight'],
  ['lora_unet_a_to_q.lora_down.weight', 'lora_unet_a_to_q.lora_up.weight'],
  ['lora_transformer_a_to_q.lora_down.weight', 'lora_transformer_a_to_q.lora_up.weight'],
])('%s', async (down, up) => {
  const changed = withLora(BASE('a.to_q'), [{ tensors: LORA(down, up), strength: 1 }]);
  expect([...(await readAll(changed, 'a.to_q.weight'))]).toEqual(MERGED);
});

test.each([
  [
    'clip',
    'lora_te1_text_model_x_fc1.lora_down.weight',
    'lora_te1_text_model_x_fc1.lora_up.weight',
  ],
  [
    'clip',
    'text_encoder.text_model.x.fc1.lora_A.weight',
    'text_encoder.text_model.x.fc1.lora_B.weight',
  ],
  ['t5', 'lora_te3_x_fc1.lora_down.weight', 'lora_te3_x_fc1.lora_up.weight'],
  ['t5', 'text_encoder_2.x.fc1.lora_A.weight', 'text_encoder_2.x.fc1.lora_B.weight'],
] as const)('%s: %s', async (part, down, up) => {
  const parts = { transformer: BASE('a'), t5: BASE('x.fc1'), clip: BASE('x.fc1') };
  const loras = [{ tensors: LORA(down, up), strength: 1 }];
  const model = modelWithLoras(parts as unknown as ModelParts, loras);
  for (const [name, tensors] of Object.entries({ t5: model.t5, clip: model.clip })) {
    const values = [...(await readAll(tensors, 'x.fc1.weight'))];
    expect(values).toEqual(name === part ? MERGED : [1, 1, 1, 1, 1, 1]);
  }
  expect(model.transformer).toBe(parts.transformer);
});

describe('refuses, by name,', () => {
  const down = 'transformer.a.lora_A.weight';
  const up = 'transformer.a.lora_B.weight';
  const merging = (tensors: MemoryTensors, module = 'a'): unknown =>
    withLora(BASE(module), [{ tensors, strength: 1 }]);

  test.each<[string, (lora: MemoryTensors) => void, string]>([
    ['another width', (lora) => lora.declare(down, [1, 4]), `${down} has shape [1, 4]`],
    ['another height', (lora) => lora.declare(up, [3, 1]), `${up} has shape [3, 1]`],
    ['another rank', (lora) => lora.declare(up, [2, 2]), 'expected [2, 1] for a.weight'],
    ['no rank', (lora) => lora.declare(down, [0, 3]).declare(up, [2, 0]), 'has shape [0, 3]'],
    ['half a pair', (lora) => lora.remove(up), `${down} has no second matrix (lora_B or lora_up)`],
    [
      'DoRA',
      (lora) => lora.declare('transformer.a.dora_scale', [2]),
      'dora_scale is not part of a plain LoRA',
    ],
    [
      'LoKr',
      (lora) => lora.declare('lora_unet_a.lokr_w1', [2, 2]),
      'lokr_w1 is not part of a plain LoRA',
    ],
    [
      'a bias',
      (lora) => lora.declare('transformer.a.lora_B.bias', [2]),
      'lora_B.bias is not part of a plain LoRA',
    ],
    ['a pair twice', (lora) => lora.declare('a.lora_A.weight', [1, 3]), 'for the same module'],
  ])('%s', (_, change, message) => {
    const lora = LORA(down, up);
    change(lora);
    expect(() => merging(lora)).toThrow(
      expect.objectContaining({
        code: 'bad-checkpoint',
        message: expect.stringContaining(message) as string,
      }),
    );
    expect(() => merging(lora)).toThrow(/^lora.safetensors: /);
  });

  test('a module that the model lacks', () => {
    expect(() => merging(LORA(down, up), 'b')).toThrow(`no module for ${down}`);
  });

  test('settings that mean another sum', async () => {
    const withSettings = async (settings: unknown): Promise<Checkpoint> => {
      const text = typeof settings === 'string' ? settings : JSON.stringify(settings);
      const header = { __metadata__: { lora_adapter_metadata: text } };
      const source = new MemoryFiles({ a: safetensorsFile(header, new Uint8Array()) });
      return openFile(source, 'a');
    };
    for (const settings of [
      { 'transformer.use_dora': true },
      { 'transformer.lora_alpha': 'eight' },
      { 'transformer.alpha_pattern': { '(': 1 } },
      'no JSON',
      'null',
    ]) {
      const file = await withSettings(settings);
      expect(() => loraFrom(file, 1)).toThrow(expect.objectContaining({ code: 'bad-checkpoint' }));
    }
    const { settings } = loraFrom(await withSettings({ 'transformer.lora_alpha': 8 }), 1);
    expect(settings?.transformer).toMatchObject({ alpha: 8, rankStabilized: false });
    expect(settings?.clip?.alpha).toBeUndefined();
  });
});
