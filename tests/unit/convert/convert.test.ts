/** What a conversion writes besides its graphs, and what it refuses. POCKET_FOLDER: see components.test.ts. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { PART_BYTES, parseManifest, type Manifest } from '../../../src/bundle/manifest.ts';
import { convert, type Conversion, type ConversionProgress } from '../../../src/convert/convert.ts';
import type { Source } from '../../../src/convert/files.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import { matrixStorage } from '../../../src/convert/quantize/precision-policy.ts';
import { FolderSource } from '../../../src/node/source-folder.ts';
import { MemoryBundle } from './memory-bundle.ts';
import { MemoryFiles } from './memory.ts';

const folder = new FolderSource(process.env['POCKET_FOLDER'] ?? 'training/pocket');

/** The folder with some of its JSON files changed, or gone. */
function withFiles(changes: Record<string, object | undefined>): Source {
  const overlay = new MemoryFiles();
  for (const [path, json] of Object.entries(changes)) {
    if (json) overlay.files.set(path, new TextEncoder().encode(JSON.stringify(json)));
  }
  const of = (path: string): Source => (path in changes ? overlay : folder);
  return {
    list: async () =>
      (await folder.list()).filter((path) => !(path in changes)).concat(await overlay.list()),
    has: (path) => of(path).has(path),
    size: (path) => of(path).size(path),
    read: (path, offset, length) => of(path).read(path, offset, length),
  };
}

async function json(path: string): Promise<Record<string, unknown>> {
  const bytes = await folder.read(path, 0, await folder.size(path));
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

describe('a converted bundle', () => {
  const written = new MemoryBundle();
  const progress: ConversionProgress[] = [];
  let manifest: Manifest;

  beforeAll(async () => {
    const source = withFiles({
      'bundle.json': { title: 'A test', sizes: [{ width: 64, height: 96 }] },
      'preview.json': { factors: [[1, 2, 3]], bias: [0, 0.5, 1] },
    });
    const onProgress = (state: ConversionProgress): void => void progress.push(state);
    const model = await openModel(source);
    const target = written.open();
    ({ manifest } = await convert(model, target, { quantization: 'mixed', onProgress }));
    await target.close();
  }, 120_000);

  test('has a manifest that the loader accepts', () => {
    const text = new TextDecoder().decode(written.files().get('manifest.json'));
    expect(parseManifest(text, 'manifest.json')).toEqual(manifest);
  });

  test('lists every file with its true size and hash', () => {
    const beside = ['manifest.json', 'conversion.json'];
    const paths = [...written.files().keys()].filter((path) => !beside.includes(path));
    expect(Object.keys(manifest.files).sort()).toEqual(paths.sort());
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    for (const path of paths) {
      const bytes = written.files().get(path)!;
      const parts = Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, i) =>
        hash(bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES)),
      );
      expect(manifest.files[path]).toEqual({
        bytes: bytes.length,
        sha256: hash(bytes),
        ...(parts.length > 1 && { parts }),
      });
    }
    // The trunk at least is in parts.
    expect(manifest.files['trunk.data']?.parts).toHaveLength(2);
  });

  test('takes its description from bundle.json and preview.json', () => {
    expect(manifest.title).toBe('A test');
    expect(manifest.sizes).toEqual([{ width: 64, height: 96 }]);
    expect(manifest.preview).toEqual({ factors: [[1, 2, 3]], bias: [0, 0.5, 1] });
    expect(manifest.licence).not.toBe('');
  });

  test('says what the configs say', async () => {
    const flux = await json('transformer/config.json');
    expect(manifest.transformer).toMatchObject({
      headWidth: flux['attention_head_dim'],
      axes: flux['axes_dims_rope'],
      singleBlocks: flux['num_single_layers'],
    });
    const tokenizer = await json('tokenizer_2/tokenizer_config.json');
    expect(manifest.text.t5Tokens).toBe(tokenizer['model_max_length']);
  });

  test('is small enough to come with the page', () => {
    const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
    expect(bytes).toBeLessThan(28e6);
  });

  test('reports its progress to the end', () => {
    expect(progress.length).toBeGreaterThan(100);
    const last = progress.at(-1)!;
    expect(last.readBytes).toBe(last.totalBytes);
    expect([...new Set(progress.map(({ what }) => what))]).toEqual([
      'CLIP text encoder',
      'autoencoder',
      'T5 text encoder',
      'transformer',
    ]);
    expect(progress.every(({ readBytes, totalBytes }) => readBytes <= totalBytes)).toBe(true);
  });
});

describe('a conversion refuses', () => {
  const converting = async (source: Source): Promise<Conversion> =>
    convert(await openModel(source), new MemoryBundle().open(), { quantization: 'int4' });

  test.each([
    ['transformer/config.json', { guidance_embeds: 1 }, 'guidance_embeds'],
    ['transformer/config.json', { num_attention_heads: 0 }, 'num_attention_heads'],
    ['transformer/config.json', { axes_dims_rope: [16, 16, 16] }, 'axes_dims_rope'],
    ['text_encoder_2/config.json', { feed_forward_proj: 'relu' }, 'feed_forward_proj'],
    ['text_encoder/config.json', { hidden_act: 'silu' }, 'hidden_act'],
    ['vae/config.json', { _class_name: 'AsymmetricAutoencoderKL' }, '_class_name'],
    ['vae/config.json', { scaling_factor: 0 }, 'scaling_factor'],
    ['vae/config.json', { shift_factor: 'none' }, 'shift_factor'],
    ['scheduler/scheduler_config.json', { use_karras_sigmas: true }, 'use_karras_sigmas'],
    ['scheduler/scheduler_config.json', { shift: 0 }, 'shift: must be more than 0, not 0'],
    ['scheduler/scheduler_config.json', { shift: -2 }, 'shift: must be more than 0, not -2'],
    ['scheduler/scheduler_config.json', { shift: 1e9 }, 'shift: must be at most 1000'],
    ['scheduler/scheduler_config.json', { shift: '3' }, 'shift'],
    ['scheduler/scheduler_config.json', { shift: null }, 'shift'],
    ['scheduler/scheduler_config.json', { base_shift: 50 }, 'base_shift: must be from'],
    ['scheduler/scheduler_config.json', { max_shift: -50 }, 'max_shift: must be from'],
    ['scheduler/scheduler_config.json', { max_shift: '1.15' }, 'max_shift'],
    ['scheduler/scheduler_config.json', { base_image_seq_len: 0 }, 'base_image_seq_len'],
    ['scheduler/scheduler_config.json', { base_image_seq_len: -256 }, 'base_image_seq_len'],
    [
      'scheduler/scheduler_config.json',
      { use_dynamic_shifting: true, base_image_seq_len: 4096, max_image_seq_len: 4096 },
      'max_image_seq_len: must be more than base_image_seq_len',
    ],
    [
      'scheduler/scheduler_config.json',
      { use_dynamic_shifting: true, base_image_seq_len: 4096, max_image_seq_len: 256 },
      'max_image_seq_len: must be more than base_image_seq_len',
    ],
    [
      'scheduler/scheduler_config.json',
      { _class_name: 'DDIMScheduler' },
      '_class_name: FLUX.1 is sampled by FlowMatchEulerDiscreteScheduler, but this is "DDIMScheduler"',
    ],
    [
      'scheduler/scheduler_config.json',
      { _class_name: 'EulerDiscreteScheduler', prediction_type: 'epsilon' },
      '"EulerDiscreteScheduler"',
    ],
    ['scheduler/scheduler_config.json', { time_shift_type: 'linear' }, 'time_shift_type'],
  ])('%s with %o', async (path, change, named) => {
    const source = withFiles({ [path]: { ...(await json(path)), ...change } });
    await expect(converting(source)).rejects.toMatchObject({
      code: 'bad-checkpoint',
      message: expect.stringContaining(named) as string,
    });
  });

  test.each(['NaN', 'Infinity', '-Infinity'])('a shift that Python wrote as %s', async (value) => {
    const path = 'scheduler/scheduler_config.json';
    const overlay = new MemoryFiles({ [path]: `{"num_train_timesteps": 1000, "shift": ${value}}` });
    const of = (name: string): Source => (name === path ? overlay : folder);
    const source: Source = {
      list: () => folder.list(),
      has: (name) => of(name).has(name),
      size: (name) => of(name).size(name),
      read: (name, offset, length) => of(name).read(name, offset, length),
    };
    await expect(converting(source)).rejects.toThrow(
      `${path}: shift is ${value}, not a finite number.`,
    );
  });

  test('a folder without one of its parts', async () => {
    const weights = 'vae/diffusion_pytorch_model.safetensors';
    await expect(converting(withFiles({ [weights]: undefined }))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('autoencoder') as string,
    });
  });

  test.each([
    ['transformer/config.json', { num_layers: 99 }, 'num_layers is 99, but the weights in'],
    ['transformer/config.json', { num_attention_heads: 2 }, 'norm_out.linear.weight has shape'],
    ['text_encoder_2/config.json', { d_ff: 128 }, 'wi_0.weight has shape'],
    ['text_encoder_2/config.json', { relative_attention_num_buckets: 16 }, 'bias.weight has shape'],
    ['text_encoder/config.json', { vocab_size: 5 }, 'token_embedding.weight has shape'],
  ])('weights that %s with %o does not describe', async (path, change, named) => {
    const source = withFiles({ [path]: { ...(await json(path)), ...change } });
    await expect(converting(source)).rejects.toMatchObject({
      code: 'bad-checkpoint',
      message: expect.stringContaining(named) as string,
    });
  });
});

test.each([
  ['transformer_blocks.0.attn.to_q', 'int8', 'int8'],
  ['transformer_blocks.1.attn.to_q', 'int4', 'int8'],
  ['transformer_blocks.11.ff.net.2', 'int4', 'int8'],
  ['transformer_blocks.11.ff_context.net.2', 'int4', 'int4'],
  ['transformer_blocks.0.norm1.linear', 'int4', 'int4'],
  ['transformer_blocks.0.norm1_context.linear', 'int4', 'int4'],
  ['single_transformer_blocks.5.proj_out', 'int4', 'int8'],
  ['single_transformer_blocks.5.proj_mlp', 'int4', 'int8'],
  ['single_transformer_blocks.5.attn.to_v', 'int8', 'int8'],
  ['single_transformer_blocks.0.attn.to_q', 'int4', 'int4'],
  ['single_transformer_blocks.5.norm.linear', 'int4', 'int4'],
  ['encoder.block.0.layer.0.SelfAttention.q', 'int4', 'int8'],
  ['encoder.block.0.layer.1.DenseReluDense.wo', 'int8', 'int8'],
  ['encoder.layers.0.mlp.fc1', 'int8', 'int8'],
  ['proj_out', 'float16', 'float16'],
  ['x_embedder', 'float16', 'float16'],
])('%s is stored as %s in an int4 bundle, as %s in a mixed one', (module, int4, mixed) => {
  expect(matrixStorage('int4', module)).toBe(int4);
  expect(matrixStorage('mixed', module)).toBe(mixed);
  expect(matrixStorage('none', module)).toBe('float32');
});
