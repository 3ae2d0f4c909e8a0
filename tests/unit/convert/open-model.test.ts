/** A model is the same in whichever files it comes. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Source } from '../../../src/convert/files.ts';
import type { ModelParts } from '../../../src/convert/checkpoint/model-parts.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import { readAll, type TensorSource } from '../../../src/convert/checkpoint/tensors.ts';
import { FolderSource } from '../../../src/node/source-folder.ts';
import { MemoryFiles } from './memory.ts';
import { bflTransformer, clip, fileOf, ldmAutoencoder, t5, tinyDecoder } from './models.ts';

type Files = Record<string, Uint8Array | string>;

const TOKENIZERS: Files = {
  'tokenizer/tokenizer.json': readFileSync('training/pocket/tokenizer/tokenizer.json', 'utf8'),
  'tokenizer_2/tokenizer.json': readFileSync('training/pocket/tokenizer_2/tokenizer.json', 'utf8'),
};

let single: Files;
let model: ModelParts;

beforeAll(async () => {
  single = {
    'flux1-dev.safetensors': await fileOf({ '': bflTransformer({ guidance: true }) }),
    'ae.safetensors': await fileOf({ '': ldmAutoencoder() }),
    't5xxl_fp16.safetensors': await fileOf({ '': t5() }),
    'clip_l.safetensors': await fileOf({ '': clip() }),
    ...TOKENIZERS,
  };
  model = await openModel(new MemoryFiles(single));
});

function without(files: Files, ...paths: string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)));
}

const PARTS = ['transformer', 't5', 'clip', 'autoencoder'] as const;

async function expectSame(found: TensorSource, expected: TensorSource): Promise<void> {
  expect([...found.names()].sort()).toEqual([...expected.names()].sort());
  for (const name of expected.names()) {
    expect(found.shape(name), name).toEqual(expected.shape(name));
    // Far quicker than comparing number by number.
    const bytes = [await readAll(found, name), await readAll(expected, name)].map((numbers) =>
      Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength),
    );
    expect(bytes[0]!.equals(bytes[1]!), name).toBe(true);
  }
}

async function expectSameModel(files: Files | Source): Promise<ModelParts> {
  const source = files instanceof MemoryFiles ? files : new MemoryFiles(files as Files);
  const found = await openModel(source);
  for (const part of PARTS) await expectSame(found[part], model[part]);
  expect(found.configs).toEqual(model.configs);
  expect(found.tokenizers).toEqual(model.tokenizers);
  return found;
}

/** The same model as diffusers would save it, in a folder whose name ends in a slash. */
async function diffusersFolder(at = ''): Promise<Files> {
  const { configs } = model;
  const weights = 'diffusion_pytorch_model.safetensors';
  return {
    [`${at}model_index.json`]: '{}',
    [`${at}transformer/config.json`]: JSON.stringify(configs.flux),
    [`${at}transformer/${weights}`]: await fileOf({ '': model.transformer }),
    [`${at}text_encoder_2/config.json`]: JSON.stringify(configs.t5),
    [`${at}text_encoder_2/model.safetensors`]: await fileOf({ '': model.t5 }),
    [`${at}text_encoder/config.json`]: JSON.stringify(configs.clip),
    [`${at}text_encoder/model.safetensors`]: await fileOf({ 'text_model.': model.clip }),
    [`${at}vae/config.json`]: JSON.stringify(configs.autoencoder),
    [`${at}vae/${weights}`]: await fileOf({ '': model.autoencoder }),
    ...Object.fromEntries(Object.entries(TOKENIZERS).map(([path, text]) => [at + path, text])),
  };
}

test('single files give their configuration', () => {
  const { flux, t5: text, clip: pooled, autoencoder, scheduler, ...tokens } = model.configs;
  expect(flux).toMatchObject({
    num_layers: 1,
    num_single_layers: 2,
    num_attention_heads: 1,
    guidance_embeds: true,
    axes_dims_rope: [16, 24, 24],
  });
  expect(text).toMatchObject({ vocab_size: 40, d_kv: 12, num_heads: 2, d_ff: 48, num_layers: 2 });
  expect(pooled).toMatchObject({ hidden_size: 64, num_attention_heads: 1, num_hidden_layers: 1 });
  expect(autoencoder).toMatchObject({
    _class_name: 'AutoencoderKL',
    block_out_channels: [32, 32],
    layers_per_block: 1,
    latent_channels: 16,
    scaling_factor: 0.3611,
    shift_factor: 0.1159,
  });
  expect(scheduler).toMatchObject({ shift: 3, use_dynamic_shifting: true, max_shift: 1.15 });
  expect(tokens).toEqual({ t5Tokens: 512, clipTokens: 77 });
});

test('a transformer without guidance is taken for FLUX.1-schnell', async () => {
  const files = {
    'transformer.safetensors': await fileOf({ '': bflTransformer({ guidance: false }) }),
  };
  const { configs, description } = await openModel(
    new MemoryFiles({ ...without(single, 'flux1-dev.safetensors'), ...files }),
  );
  expect(configs.flux.guidance_embeds).toBe(false);
  expect(configs.scheduler).toMatchObject({ shift: 1, use_dynamic_shifting: false });
  expect(configs.t5Tokens).toBe(256);
  expect(description.defaults).toEqual({ steps: 4 });
  expect(model.description.defaults).toEqual({ steps: 28, guidance: 3.5 });
});

describe('the same model', () => {
  test('as a diffusers folder', async () => {
    await expectSameModel(await diffusersFolder());
  });

  test('as a diffusers folder inside another, beside something else', async () => {
    const files = await diffusersFolder('models/flux/');
    await expectSameModel({ ...files, 'models/other.safetensors': new Uint8Array(3) });
  });

  test('in one file with everything', async () => {
    const all = await fileOf({
      'model.diffusion_model.': bflTransformer({ guidance: true }),
      'vae.': ldmAutoencoder(),
      'text_encoders.t5xxl.transformer.': t5(),
      'text_encoders.clip_l.transformer.': clip(),
    });
    await expectSameModel({ 'flux1-dev-all.safetensors': all, ...TOKENIZERS });
  });

  test('as a diffusers folder whose other parts are single files beside it', async () => {
    const folder = Object.entries(await diffusersFolder());
    const kept = folder.filter(([path]) => !/^(vae|text_encoder)\/.*safetensors$/.test(path));
    const { 'ae.safetensors': ae, 'clip_l.safetensors': words } = single;
    await expectSameModel({
      ...Object.fromEntries(kept),
      'x/ae.safetensors': ae!,
      'y.safetensors': words!,
    });
  });

  test('in several files with an index', async () => {
    const folder = await diffusersFolder();
    const names = [...model.t5.names()];
    const halves = [names.slice(0, 5), names.slice(5)];
    const weights = 'text_encoder_2/model.safetensors';
    const map: Record<string, string> = {};
    for (const [i, half] of halves.entries()) {
      const shard = `model-0000${i + 1}-of-00002.safetensors`;
      const part: TensorSource = {
        where: shard,
        names: () => half,
        has: (name) => model.t5.has(name),
        shape: (name) => model.t5.shape(name),
        storedBytes: (name) => model.t5.storedBytes(name),
        rows: (name, from, to) => model.t5.rows(name, from, to),
      };
      folder[`text_encoder_2/${shard}`] = await fileOf({ '': part });
      for (const name of half) map[name] = shard;
    }
    const files = without(folder, weights);
    await expectSameModel({
      ...files,
      [`${weights}.index.json`]: JSON.stringify({ weight_map: map }),
    });
    // The same shards, where no folder says what they are.
    const unnamed = without(files, 'text_encoder_2/config.json');
    await expectSameModel({
      ...unnamed,
      [`${weights}.index.json`]: JSON.stringify({ weight_map: map }),
    });
  });

  test('where files cannot be listed', async () => {
    class Unlistable extends MemoryFiles {
      override list(): Promise<string[]> {
        return Promise.resolve([]);
      }
    }
    await expectSameModel(new Unlistable(await diffusersFolder()));
    await expect(openModel(new Unlistable())).rejects.toMatchObject({ code: 'not-found' });
  });

  test('with single files that a complete folder makes needless', async () => {
    await expectSameModel({ ...(await diffusersFolder()), ...single });
  });
});

test('the pocket model, a folder with a tiny autoencoder', async () => {
  const pocket = await openModel(new FolderSource('training/pocket'));
  expect(pocket.configs.autoencoder._class_name).toBe('AutoencoderTiny');
  expect(pocket.previewer).toBeUndefined();
  const tokenizer = readFileSync('training/pocket/tokenizer/tokenizer_config.json', 'utf8');
  const { model_max_length } = JSON.parse(tokenizer) as { model_max_length: number };
  expect(pocket.configs).toMatchObject({ clipTokens: model_max_length });
  expect(pocket.clip.has('embeddings.token_embedding.weight')).toBe(true);
});

describe('a tiny autoencoder', () => {
  test('is the previewer beside the large one', async () => {
    const tiny = await fileOf({ '': tinyDecoder() });
    const { previewer } = await openModel(
      new MemoryFiles({ ...single, 'taef1.safetensors': tiny }),
    );
    expect(previewer?.config).toMatchObject({
      latent_channels: 16,
      num_decoder_blocks: [3, 1, 2, 1],
    });
    await expectSame(previewer!.tensors, tinyDecoder());
    const folder = await diffusersFolder();
    const beside = await openModel(new MemoryFiles({ ...folder, 'taef1.safetensors': tiny }));
    expect(beside.previewer?.config).toEqual(previewer?.config);
    const own = await openModel(
      new MemoryFiles({
        ...folder,
        'vae_preview/config.json': JSON.stringify({ ...previewer!.config, scaling_factor: 2 }),
        'vae_preview/diffusion_pytorch_model.safetensors': tiny,
      }),
    );
    expect(own.previewer?.config.scaling_factor).toBe(2);
  });

  test('is the autoencoder if there is no other', async () => {
    const rest = without(single, 'ae.safetensors');
    const tiny = await fileOf({ '': tinyDecoder() });
    const found = await openModel(new MemoryFiles({ ...rest, 'taef1.safetensors': tiny }));
    expect(found.previewer).toBeUndefined();
    expect(found.configs.autoencoder._class_name).toBe('AutoencoderTiny');
  });
});

describe('refuses, by name,', () => {
  const opening = (files: Files): Promise<ModelParts> => openModel(new MemoryFiles(files));

  test('what is missing', async () => {
    const rest = without(single, 'ae.safetensors', 'clip_l.safetensors');
    await expect(opening(rest)).rejects.toMatchObject({
      code: 'not-found',
      message: 'Among the files there is no CLIP text encoder, and no autoencoder.',
      hint: expect.stringContaining('clip_l.safetensors') as string,
    });
  });

  test('what is there twice', async () => {
    const twice = { ...single, 't5xxl_fp8.safetensors': single['t5xxl_fp16.safetensors']! };
    await expect(opening(twice)).rejects.toMatchObject({
      code: 'bad-checkpoint',
      message:
        'The T5 text encoder is there twice: t5xxl_fp16.safetensors and t5xxl_fp8.safetensors.',
    });
  });

  test('several folders', async () => {
    const folders = { ...(await diffusersFolder('a/')), ...(await diffusersFolder('b/')) };
    await expect(opening(folders)).rejects.toThrow('several models: a/, b/');
  });

  test('a folder with something else in it', async () => {
    const files = await diffusersFolder();
    files['text_encoder/model.safetensors'] = files['vae/diffusion_pytorch_model.safetensors']!;
    await expect(opening(files)).rejects.toThrow(
      'text_encoder/model.safetensors holds no CLIP text encoder',
    );
  });

  test('parts that do not fit', async () => {
    const files = await diffusersFolder();
    files['text_encoder_2/config.json'] = JSON.stringify({ ...model.configs.t5, d_model: 33 });
    await expect(opening(files)).rejects.toThrow('joint_attention_dim, 32, is not T5 d_model, 33');
  });
});

describe('what a bundle says of itself', () => {
  class Named extends MemoryFiles {
    readonly name = 'https://huggingface.co/someone/my-flux';
  }
  const describing = async (files: Files): Promise<ModelParts['description']> =>
    (await openModel(new Named({ ...single, ...files }))).description;

  test('comes from the address and the model card', async () => {
    const card = '---\nlicense: apache-2.0\ntags:\n- flux\n---\n# My FLUX\nlicense: mit\n';
    expect(await describing({ 'README.md': card })).toMatchObject({
      title: 'my-flux',
      licence: 'apache-2.0',
      source: 'https://huggingface.co/someone/my-flux',
    });
    const other = '---\r\nlicense: other\r\nlicense_name: "flux-1-dev-non-commercial"\r\n---\r\n';
    expect(await describing({ 'README.md': other })).toMatchObject({
      licence: 'flux-1-dev-non-commercial',
    });
    expect((await describing({ 'README.md': 'license: mit' })).licence).toContain('checkpoint');
  });

  test('comes from the file, and from bundle.json before all else', async () => {
    const titled = await fileOf(
      { '': bflTransformer({ guidance: true }) },
      { 'modelspec.title': 'Fine FLUX' },
    );
    const files = { 'flux1-dev.safetensors': titled };
    expect((await describing(files)).title).toBe('Fine FLUX');
    const own = JSON.stringify({ title: 'Mine', defaults: { steps: 9 } });
    expect(await describing({ ...files, 'bundle.json': own })).toMatchObject({
      title: 'Mine',
      defaults: { steps: 9 },
    });
  });

  test('offers sizes that the latents can have', () => {
    const { sizes } = model.description;
    expect(sizes.every(({ width, height }) => width % 16 === 0 && height % 16 === 0)).toBe(true);
    expect(sizes.some(({ width, height }) => 2 * width === 3 * height)).toBe(true);
  });
});
