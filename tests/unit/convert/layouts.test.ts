/** Single files under diffusers' names, held to diffusers' own conversion: training/layout_goldens.py. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partsIn, type FoundPart } from '../../../src/convert/checkpoint/layouts/recognise.ts';
import { rowsOf, View } from '../../../src/convert/checkpoint/layouts/view.ts';
import { openFile } from '../../../src/convert/checkpoint/safetensors.ts';
import { readAll, rowCount, type TensorSource } from '../../../src/convert/checkpoint/tensors.ts';
import { FolderSource } from '../../../src/node/source-folder.ts';
import golden from '../../golden/layouts/layouts.json';
import { MemoryTensors } from './tensors.ts';

const folder = new FolderSource('tests/golden/layouts');
const stored = (name: string): Promise<TensorSource> => openFile(folder, `${name}.safetensors`);

/** Puts something before every name. */
async function prefixed(tensors: TensorSource, prefix: string): Promise<MemoryTensors> {
  const copy = new MemoryTensors();
  for (const name of tensors.names()) {
    copy.add(prefix + name, tensors.shape(name), await readAll(tensors, name));
  }
  return copy;
}

function only(parts: FoundPart[]): FoundPart {
  expect(parts).toHaveLength(1);
  return parts[0]!;
}

const LAYOUTS = [
  ['transformer', 'bfl', 'model.diffusion_model.'],
  ['autoencoder', 'ldm', 'first_stage_model.'],
  ['tiny', 'tae', 'vae_approx.'],
] as const;

test.each(LAYOUTS)('the %s file %s has the tensors that diffusers makes of it', async (...row) => {
  const [kind, name, prefix] = row;
  const expected = await stored(`${name}-diffusers`);
  for (const source of [await stored(name), await prefixed(await stored(name), prefix), expected]) {
    const part = only(partsIn(source));
    expect(part.kind).toBe(kind);
    const { tensors } = part.open();
    expect([...tensors.names()].sort()).toEqual([...expected.names()].sort());
    for (const tensor of tensors.names()) {
      expect(tensors.shape(tensor), tensor).toEqual(expected.shape(tensor));
      expect(await readAll(tensors, tensor), tensor).toEqual(await readAll(expected, tensor));
    }
  }
});

test('the parts of a file take as many bytes as the file', async () => {
  const bfl = await stored('bfl');
  const { tensors } = only(partsIn(bfl)).open();
  const total = (source: TensorSource): number =>
    [...source.names()].reduce((sum, name) => sum + source.storedBytes(name), 0);
  expect(total(tensors)).toBeCloseTo(total(bfl), 6);
});

/** No shape tells the first; the file of a tiny decoder has no encoder. */
const UNTOLD = ['norm_num_groups', 'encoder_block_out_channels', 'num_encoder_blocks'];

test.each(LAYOUTS)('the configuration of the %s follows from its shapes', async (kind, name) => {
  const config = only(partsIn(await stored(name)))
    .open()
    .config();
  for (const [field, value] of Object.entries(golden[kind])) {
    if (!UNTOLD.includes(field)) expect(config).toHaveProperty(field, value);
  }
});

test('the shapes of FLUX.1-dev and FLUX.1-schnell give their configurations', () => {
  const shapes = (guidance: boolean): MemoryTensors => {
    const tensors = new MemoryTensors();
    const linear = (name: string, outputs: number, inputs: number): void => {
      tensors.declare(`${name}.weight`, [outputs, inputs]).declare(`${name}.bias`, [outputs]);
    };
    linear('img_in', 3072, 64);
    linear('txt_in', 3072, 4096);
    const embedders = ['time_in', 'vector_in', ...(guidance ? ['guidance_in'] : [])];
    for (const embedder of embedders) {
      linear(`${embedder}.in_layer`, 3072, embedder === 'vector_in' ? 768 : 256);
      linear(`${embedder}.out_layer`, 3072, 3072);
    }
    for (let i = 0; i < 19; i++) {
      for (const stream of ['img', 'txt'].map((name) => `double_blocks.${i}.${name}`)) {
        linear(`${stream}_mod.lin`, 6 * 3072, 3072);
        linear(`${stream}_attn.qkv`, 3 * 3072, 3072);
        linear(`${stream}_attn.proj`, 3072, 3072);
        linear(`${stream}_mlp.0`, 4 * 3072, 3072);
        linear(`${stream}_mlp.2`, 3072, 4 * 3072);
        tensors.declare(`${stream}_attn.norm.query_norm.scale`, [128]);
        tensors.declare(`${stream}_attn.norm.key_norm.scale`, [128]);
      }
    }
    for (let i = 0; i < 38; i++) {
      linear(`single_blocks.${i}.modulation.lin`, 3 * 3072, 3072);
      linear(`single_blocks.${i}.linear1`, 7 * 3072, 3072);
      linear(`single_blocks.${i}.linear2`, 3072, 5 * 3072);
      tensors.declare(`single_blocks.${i}.norm.query_norm.scale`, [128]);
      tensors.declare(`single_blocks.${i}.norm.key_norm.scale`, [128]);
    }
    linear('final_layer.linear', 64, 3072);
    linear('final_layer.adaLN_modulation.1', 2 * 3072, 3072);
    return tensors;
  };
  for (const guidance of [true, false]) {
    expect(
      only(partsIn(shapes(guidance)))
        .open()
        .config(),
    ).toEqual({
      _class_name: 'FluxTransformer2DModel',
      in_channels: 64,
      num_layers: 19,
      num_single_layers: 38,
      attention_head_dim: 128,
      num_attention_heads: 24,
      joint_attention_dim: 4096,
      pooled_projection_dim: 768,
      guidance_embeds: guidance,
      axes_dims_rope: [16, 56, 56],
    });
  }
});

test('tensors that are missing or too small are named as in the file', async () => {
  const bfl = await stored('bfl');
  const without = await prefixed(bfl, '');
  without.remove('double_blocks.0.txt_mlp.2.bias');
  expect(() => only(partsIn(without)).open()).toThrow('no tensor double_blocks.0.txt_mlp.2.bias');
  const small = await prefixed(bfl, '');
  small.declare('double_blocks.0.txt_attn.qkv.weight', [59, 20]);
  expect(() => only(partsIn(small)).open()).toThrow('txt_attn.qkv.weight has 59 rows, expected 60');
});

test('a text encoder has the same names whichever file it comes in', async () => {
  const q = 'encoder.block.0.layer.0.SelfAttention.q.weight';
  const whole = new MemoryTensors()
    .add('encoder.embed_tokens.weight', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6))
    .add(q, [1, 2], Float32Array.of(7, 8))
    .add('decoder.block.0.layer.0.SelfAttention.q.weight', [1, 2], Float32Array.of(9, 9))
    .add('lm_head.weight', [3, 2], new Float32Array(6));
  const shared = await prefixed(whole, '');
  shared.add('shared.weight', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
  for (const source of [whole, shared, await prefixed(whole, 'text_encoders.t5xxl.transformer.')]) {
    const part = only(partsIn(source));
    const { tensors } = part.open();
    expect(part.kind).toBe('t5');
    expect([...tensors.names()].sort()).toEqual([q, 'shared.weight']);
    expect([...(await tensors.rows('shared.weight', 1, 3))]).toEqual([3, 4, 5, 6]);
  }
  const words = 'embeddings.token_embedding.weight';
  for (const prefix of ['', 'text_model.', 'text_encoders.clip_l.transformer.text_model.']) {
    const clip = new MemoryTensors().add(prefix + words, [1, 2], Float32Array.of(1, 2));
    const part = only(partsIn(clip));
    expect(part.kind).toBe('clip');
    expect([...part.open().tensors.names()]).toEqual([words]);
  }
});

const T5_FILE = (): MemoryTensors =>
  new MemoryTensors().add(
    'encoder.block.0.layer.0.SelfAttention.q.weight',
    [2, 2],
    Float32Array.of(1, 2, 3, 4),
  );

test.each(['scale_weight', 'weight_scale'])('scales beside 8-bit weights: %s', async (end) => {
  const module = 'encoder.block.0.layer.0.SelfAttention.q';
  const file = T5_FILE()
    .add('scaled_fp8', [0], new Float32Array())
    .add(`${module}.${end}`, [], Float32Array.of(0.5))
    .add(`${module}.scale_input`, [], Float32Array.of(9));
  const { tensors } = only(partsIn(file)).open();
  expect([...tensors.names()]).toEqual([`${module}.weight`]);
  expect([...(await tensors.rows(`${module}.weight`, 1, 2))]).toEqual([1.5, 2]);
  file.declare(`${module}.${end}`, [2, 1]);
  expect(() => only(partsIn(file)).open()).toThrow('only one scale per matrix');
});

test('files that bitsandbytes quantized are refused', () => {
  const name = 'encoder.block.0.layer.0.SelfAttention.q.weight';
  for (const end of ['absmax', 'quant_state.bitsandbytes__nf4']) {
    const file = T5_FILE().declare(`${name}.${end}`, [1]);
    expect(() => only(partsIn(file)).open()).toThrow('bitsandbytes');
  }
});

test('a view gives any rows of its pieces, in their order', async () => {
  const rows = fc.nat(8).chain((count) => {
    const range = fc.tuple(fc.nat(count), fc.nat(count)).map(([a, b]): [number, number] => {
      return a < b ? [a, b] : [b, a];
    });
    return fc.tuple(fc.constant(count), fc.array(range, { maxLength: 4 }), fc.nat(32), fc.nat(32));
  });
  await fc.assert(
    fc.asyncProperty(rows, async ([count, ranges, one, other]) => {
      const values = Float32Array.from({ length: count * 3 }, (_, i) => i);
      const tensors = new MemoryTensors().add('a', [count, 3], values);
      const view = new View(tensors, new Map([['b', rowsOf(tensors, 'a', ranges)]]));
      const expected = ranges.flatMap(([from, to]) => [...values.slice(3 * from, 3 * to)]);
      const height = rowCount(view.shape('b'));
      expect(height * 3).toBe(expected.length);
      const from = Math.min(one, other, height);
      const to = Math.min(Math.max(one, other), height);
      expect([...(await view.rows('b', from, to))]).toEqual(expected.slice(3 * from, 3 * to));
    }),
  );
});
