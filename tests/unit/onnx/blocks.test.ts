/** Blocks, tensors and files that are missing, or that nothing takes. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { convert, type Conversion } from '../../../src/onnx/convert.ts';
import { partsIn } from '../../../src/onnx/layouts/recognise.ts';
import type { ModelParts } from '../../../src/onnx/model-parts.ts';
import { openModel } from '../../../src/onnx/open-model.ts';
import { readAll, type TensorSource } from '../../../src/onnx/tensors.ts';
import { MemoryBundle } from './memory-bundle.ts';
import { MemoryFiles } from './memory.ts';
import { bflTransformer, clip, fileOf, ldmAutoencoder, t5, tinyDecoder } from './models.ts';
import { MemoryTensors } from './tensors.ts';

type Files = Record<string, Uint8Array | string>;

/** A copy with names changed; those that `rename` gives no name are left out. */
async function renamed(
  tensors: TensorSource,
  rename: (name: string) => string | undefined,
): Promise<MemoryTensors> {
  const copy = new MemoryTensors();
  for (const name of tensors.names()) {
    const other = rename(name);
    if (other !== undefined) copy.add(other, tensors.shape(name), await readAll(tensors, name));
  }
  return copy;
}

const without = (tensors: TensorSource, gone: RegExp): Promise<MemoryTensors> =>
  renamed(tensors, (name) => (gone.test(name) ? undefined : name));

const TOKENIZERS: Files = {
  'tokenizer/tokenizer.json': readFileSync('training/pocket/tokenizer/tokenizer.json', 'utf8'),
  'tokenizer_2/tokenizer.json': readFileSync('training/pocket/tokenizer_2/tokenizer.json', 'utf8'),
};

const PARTS = {
  'flux1-dev.safetensors': bflTransformer({ guidance: true }),
  'ae.safetensors': ldmAutoencoder(),
  't5xxl.safetensors': t5(),
  'clip_l.safetensors': clip(),
};

/** As single files, with other tensors in some of them. */
async function single(changed: Partial<Record<keyof typeof PARTS, TensorSource>> = {}) {
  const files: Files = { ...TOKENIZERS };
  for (const [path, tensors] of Object.entries({ ...PARTS, ...changed })) {
    files[path] = await fileOf({ '': tensors });
  }
  return files;
}

const opening = (files: Files): Promise<ModelParts> => openModel(new MemoryFiles(files));

let model: ModelParts;
let folder: Files;
beforeAll(async () => {
  model = await opening(await single());
  const { configs } = model;
  folder = {
    'model_index.json': '{"_class_name":"FluxPipeline"}',
    'transformer/config.json': JSON.stringify(configs.flux),
    'transformer/diffusion_pytorch_model.safetensors': await fileOf({ '': model.transformer }),
    'text_encoder_2/config.json': JSON.stringify(configs.t5),
    'text_encoder_2/model.safetensors': await fileOf({ '': model.t5 }),
    'text_encoder/config.json': JSON.stringify(configs.clip),
    'text_encoder/model.safetensors': await fileOf({ 'text_model.': model.clip }),
    'vae/config.json': JSON.stringify(configs.autoencoder),
    'vae/diffusion_pytorch_model.safetensors': await fileOf({ '': model.autoencoder }),
    ...TOKENIZERS,
  };
});

describe('a gap is refused:', () => {
  /** Block 1 becomes block 2. */
  const moved = (tensors: TensorSource, list: string): Promise<MemoryTensors> =>
    renamed(tensors, (name) => name.replace(`${list}.1.`, `${list}.2.`));

  test.each([
    ['flux1-dev.safetensors', 'single_blocks'],
    ['t5xxl.safetensors', 'encoder.block'],
    ['ae.safetensors', 'decoder.up'],
    ['ae.safetensors', 'decoder.up.0.block'],
  ] as const)('%s without %s.1', async (path, list) => {
    const files = await single({ [path]: await moved(PARTS[path], list) });
    await expect(opening(files)).rejects.toMatchObject({
      code: 'bad-checkpoint',
      message: `${path}: ${list}.1 is missing, but ${list}.2 is there.`,
    });
  });

  test.each([
    ['flux1-dev.safetensors', 'single_blocks'],
    ['flux1-dev.safetensors', 'double_blocks'],
    ['t5xxl.safetensors', 'encoder.block'],
    ['clip_l.safetensors', 'encoder.layers'],
    ['ae.safetensors', 'decoder.up'],
  ] as const)('%s without the first of %s', async (path, list) => {
    const shifted = await renamed(PARTS[path], (name) =>
      name.replace(`${list}.1.`, `${list}.2.`).replace(`${list}.0.`, `${list}.1.`),
    );
    await expect(opening(await single({ [path]: shifted }))).rejects.toThrow(
      `${list}.0 is missing`,
    );
  });

  test.each([
    ['transformer', 'single_transformer_blocks'],
    ['text_encoder_2', 'encoder.block'],
    ['vae', 'decoder.up_blocks'],
    ['vae', 'decoder.up_blocks.0.resnets'],
  ] as const)('the diffusers folder %s without %s.1', async (part, list) => {
    const tensors = {
      transformer: model.transformer,
      text_encoder_2: model.t5,
      vae: model.autoencoder,
    };
    const [path] = Object.keys(folder).filter(
      (name) => name.startsWith(`${part}/`) && name.endsWith('tensors'),
    );
    const files = { ...folder, [path!]: await fileOf({ '': await moved(tensors[part], list) }) };
    await expect(opening(files)).rejects.toThrow(`${path}: ${list}.1 is missing, but ${list}.2`);
  });

  test('a tensor of one block that the others have', async () => {
    const three = await renamed(PARTS['flux1-dev.safetensors'], (name) => name);
    for (const name of [...three.names()]) {
      if (!name.startsWith('single_blocks.1.')) continue;
      const third = name.replace('.1.', '.2.');
      three.add(third, three.shape(name), await readAll(three, name));
    }
    three.remove('single_blocks.1.linear2.bias');
    await expect(opening(await single({ 'flux1-dev.safetensors': three }))).rejects.toThrow(
      'single_blocks.1.linear2.bias is missing, but other blocks have it',
    );
  });
});

describe('a config.json of another number of blocks is refused:', () => {
  test.each([
    ['transformer/config.json', 'num_layers', 0, 1],
    ['transformer/config.json', 'num_layers', 19, 1],
    ['transformer/config.json', 'num_single_layers', 1, 2],
    ['transformer/config.json', 'num_single_layers', 38, 2],
    ['text_encoder_2/config.json', 'num_layers', 1, 2],
    ['text_encoder_2/config.json', 'num_layers', 24, 2],
    ['text_encoder/config.json', 'num_hidden_layers', 12, 1],
    ['vae/config.json', 'layers_per_block', 2, 1],
  ])('%s: %s of %i, not %i', async (path, field, stated, count) => {
    const config = JSON.parse(folder[path] as string) as object;
    const files = { ...folder, [path]: JSON.stringify({ ...config, [field]: stated }) };
    await expect(opening(files)).rejects.toMatchObject({
      code: 'bad-checkpoint',
      message: expect.stringMatching(
        new RegExp(`^${path}: ${field} is ${stated}, but the weights in .* are of ${count}\\.$`),
      ) as string,
    });
  });

  test('levels of the autoencoder', async () => {
    const config = { ...model.configs.autoencoder, block_out_channels: [32, 32, 32] };
    const files = { ...folder, 'vae/config.json': JSON.stringify(config) };
    await expect(opening(files)).rejects.toThrow('block_out_channels.length is 3');
  });
});

describe('weights in several files', () => {
  const halves = async (): Promise<Files> => {
    const names = [...model.transformer.names()];
    const files: Files = {};
    for (const [i, half] of [names.slice(0, 9), names.slice(9)].entries()) {
      const tensors = await renamed(model.transformer, (name) =>
        half.includes(name) ? name : undefined,
      );
      files[`flux-0000${i + 1}-of-00002.safetensors`] = await fileOf({ '': tensors });
    }
    const { 'flux1-dev.safetensors': _, ...rest } = await single();
    return { ...rest, ...files };
  };

  test('make a model without an index too', async () => {
    const { transformer } = await opening(await halves());
    expect([...transformer.names()]).toEqual([...model.transformer.names()]);
  });

  test('of which one is missing', async () => {
    for (const gone of ['flux-00001-of-00002.safetensors', 'flux-00002-of-00002.safetensors']) {
      const { [gone]: _, ...files } = await halves();
      await expect(opening(files)).rejects.toThrow(`${gone} is missing`);
    }
  });

  test('of which an index names some', async () => {
    const map = { a: 'model-00001-of-00003.safetensors', b: 'model-00003-of-00003.safetensors' };
    const index = 'text_encoder_2/model.safetensors.index.json';
    const { 'text_encoder_2/model.safetensors': _, ...rest } = folder;
    await expect(
      opening({ ...rest, [index]: JSON.stringify({ weight_map: map }) }),
    ).rejects.toThrow('but never model-00002-of-00003.safetensors');
  });
});

describe('what nothing takes', () => {
  const converted = async (files: Files): Promise<Conversion> => {
    const target = new MemoryBundle().open();
    return convert(await opening(files), target, { quantization: 'f16' });
  };
  /** The same tensors, and some of one number. */
  const withMore = async (tensors: TensorSource, ...names: string[]): Promise<MemoryTensors> => {
    const copy = await renamed(tensors, (name) => name);
    for (const name of names) copy.add(name, [1], Float32Array.of(1));
    return copy;
  };

  test('is named in the result and in the report', async () => {
    const more = ['double_blocks.0.extra.weight', 'something'];
    const { notes, report } = await converted(
      await single({
        'flux1-dev.safetensors': await withMore(PARTS['flux1-dev.safetensors'], ...more),
        'ae.safetensors': await withMore(PARTS['ae.safetensors'], 'decoder.up.0.block.5'),
      }),
    );
    expect(notes).toEqual([
      `flux1-dev.safetensors: 2 tensors are not used (${more.join(', ')}).`,
      'ae.safetensors: 1 tensor is not used (decoder.up.0.block.5).',
    ]);
    expect(report.unused).toEqual([
      { file: 'flux1-dev.safetensors', names: more },
      { file: 'ae.safetensors', names: ['decoder.up.0.block.5'] },
    ]);
  });

  test('is not named where every checkpoint has it', async () => {
    const { notes, report } = await converted(
      await single({
        't5xxl.safetensors': await withMore(
          PARTS['t5xxl.safetensors'],
          'encoder.embed_tokens.weight',
          'decoder.block.0.layer.0.SelfAttention.q.weight',
          'lm_head.weight',
          'logit_scale',
        ),
        'clip_l.safetensors': await withMore(
          PARTS['clip_l.safetensors'],
          'text_model.embeddings.position_ids',
          'text_projection.weight',
          'logit_scale',
        ),
      }),
    );
    expect(notes).toEqual([]);
    expect(report).not.toHaveProperty('unused');
  });

  test('is found in a folder of diffusers too, and in one file with everything', async () => {
    const weights = await withMore(model.transformer, 'single_transformer_blocks.0.extra.weight');
    const path = 'transformer/diffusion_pytorch_model.safetensors';
    const diffusers = await converted({ ...folder, [path]: await fileOf({ '': weights }) });
    expect(diffusers.notes).toEqual([
      `${path}: 1 tensor is not used (single_transformer_blocks.0.extra.weight).`,
    ]);
    const all = await fileOf({
      'model.diffusion_model.': PARTS['flux1-dev.safetensors'],
      'vae.': PARTS['ae.safetensors'],
      'text_encoders.t5xxl.transformer.': PARTS['t5xxl.safetensors'],
      'text_encoders.clip_l.transformer.': PARTS['clip_l.safetensors'],
      'model_ema.': new MemoryTensors().add('decay', [1], Float32Array.of(1)),
      'another_model.': new MemoryTensors().add('weight', [1], Float32Array.of(1)),
    });
    const { notes } = await converted({ ...TOKENIZERS, 'all.safetensors': all });
    expect(notes).toEqual(['all.safetensors: 1 tensor is not used (another_model.weight).']);
  });

  test('of a tiny autoencoder is its encoder, of which nothing is said', async () => {
    const tiny = await withMore(
      tinyDecoder(),
      'encoder.layers.0.weight',
      'encoder.layers.1.conv.0.bias',
    );
    const { notes } = await converted({
      ...(await single()),
      'taef1.safetensors': await fileOf({ '': tiny }),
    });
    expect(notes).toEqual([]);
  });
});

test('scales that only some blocks have are no gaps', () => {
  const tensors = bflTransformer({ guidance: true });
  tensors.add('single_blocks.0.linear1.scale_weight', [], Float32Array.of(1));
  expect(() => partsIn(tensors)[0]!.open()).not.toThrow();
});
