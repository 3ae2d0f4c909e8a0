/** Blocks, tensors and files that are missing, or that nothing takes. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { convert, type Conversion } from '../../../src/convert/convert.ts';
import { partsIn } from '../../../src/convert/checkpoint/layouts/recognise.ts';
import type { ModelParts } from '../../../src/convert/checkpoint/model-parts.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import { readAll, type TensorSource } from '../../../src/convert/checkpoint/tensors.ts';
import { MemoryBundle } from './memory-bundle.ts';
import { MemoryFiles } from './memory.ts';
import { diffusersFiles, filesBesideSingle, singleFiles } from '../support/tiny-flux.ts';
import { openFile } from '../../../src/convert/checkpoint/safetensors.ts';
import { bflTransformer, clip, fileOf, ldmAutoencoder, t5, tinyDecoder } from './models.ts';
import { MemoryTensors } from './tensors.ts';

type Files = Record<string, Uint8Array | string>;

const withoutFile = (files: Files, gone: string): Files =>
  Object.fromEntries(Object.entries(files).filter(([path]) => path !== gone));

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
    const rest = withoutFile(await single(), 'flux1-dev.safetensors');
    return { ...rest, ...files };
  };

  test('make a model without an index too', async () => {
    const { transformer } = await opening(await halves());
    expect([...transformer.names()]).toEqual([...model.transformer.names()]);
  });

  test('of which one is missing', async () => {
    for (const gone of ['flux-00001-of-00002.safetensors', 'flux-00002-of-00002.safetensors']) {
      const files = withoutFile(await halves(), gone);
      await expect(opening(files)).rejects.toThrow(`${gone} is missing`);
    }
  });

  test('of which an index names some', async () => {
    const map = { a: 'model-00001-of-00003.safetensors', b: 'model-00003-of-00003.safetensors' };
    const index = 'text_encoder_2/model.safetensors.index.json';
    const rest = withoutFile(folder, 'text_encoder_2/model.safetensors');
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
  const whole: Files = Object.fromEntries([...singleFiles(), ...filesBesideSingle()]);
  const opened = (path: string): Promise<TensorSource> => openFile(new MemoryFiles(whole), path);
  /** The same file with some tensors of one number more. */
  const withMore = async (tensors: TensorSource, ...names: string[]): Promise<Uint8Array> => {
    const copy = await renamed(tensors, (name) => name);
    for (const name of names) copy.add(name, [1], Float32Array.of(1));
    return fileOf({ '': copy });
  };

  test('is named in the result and in the report', async () => {
    const more = ['double_blocks.0.extra.weight', 'something'];
    const { notes, report } = await converted({
      ...whole,
      'flux1-dev.safetensors': await withMore(await opened('flux1-dev.safetensors'), ...more),
      'ae.safetensors': await withMore(await opened('ae.safetensors'), 'decoder.up.0.other'),
    });
    expect(notes).toEqual([
      `flux1-dev.safetensors: 2 tensors are not used (${more.join(', ')}).`,
      'ae.safetensors: 1 tensor is not used (decoder.up.0.other).',
    ]);
    expect(report.unused).toEqual([
      { file: 'flux1-dev.safetensors', names: more },
      { file: 'ae.safetensors', names: ['decoder.up.0.other'] },
    ]);
  });

  test('is not named where every checkpoint has it', async () => {
    const { notes, report } = await converted({
      ...whole,
      't5xxl_fp16.safetensors': await withMore(
        await opened('t5xxl_fp16.safetensors'),
        'decoder.block.0.layer.0.SelfAttention.q.weight',
        'lm_head.weight',
        'logit_scale',
      ),
      'clip_l.safetensors': await withMore(
        await opened('clip_l.safetensors'),
        'text_model.embeddings.position_ids',
        'text_projection.weight',
        'logit_scale',
      ),
      'taef1.safetensors': await withMore(
        tinyDecoder(),
        'encoder.layers.0.weight',
        'encoder.layers.1.conv.0.bias',
      ),
    });
    expect(notes).toEqual([]);
    expect(report).not.toHaveProperty('unused');
  });

  test('is found in a folder of diffusers too', async () => {
    const files = Object.fromEntries(diffusersFiles());
    const path = 'transformer/diffusion_pytorch_model.safetensors';
    const weights = await openFile(new MemoryFiles(files), path);
    const name = 'single_transformer_blocks.0.extra.weight';
    const { notes } = await converted({ ...files, [path]: await withMore(weights, name) });
    expect(notes).toEqual([`${path}: 1 tensor is not used (${name}).`]);
  });

  test('is found in one file with everything', async () => {
    const one = (): MemoryTensors => new MemoryTensors().add('weight', [1], Float32Array.of(1));
    const all = await fileOf({
      'model.diffusion_model.': await opened('flux1-dev.safetensors'),
      'vae.': await opened('ae.safetensors'),
      'text_encoders.t5xxl.transformer.': await opened('t5xxl_fp16.safetensors'),
      'text_encoders.clip_l.transformer.': await opened('clip_l.safetensors'),
      'model_ema.': one(),
      'another_model.': one(),
    });
    const rest = Object.fromEntries(filesBesideSingle());
    const { notes } = await converted({ ...rest, 'all.safetensors': all });
    expect(notes).toEqual(['all.safetensors: 1 tensor is not used (another_model.weight).']);
  });
});

test('scales that only some blocks have are no gaps', () => {
  const tensors = bflTransformer({ guidance: true });
  tensors.add('single_blocks.0.linear1.scale_weight', [], Float32Array.of(1));
  expect(() => partsIn(tensors)[0]!.open()).not.toThrow();
});
