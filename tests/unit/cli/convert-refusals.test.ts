/** `hicache convert`: what it refuses, and in what words. */
import { copyFile, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { safetensorsFile } from '../convert/memory.ts';
import {
  diffusersFiles,
  filesBesideSingle,
  singleFiles,
  writeFiles,
} from '../support/tiny-flux.ts';
import { filesIn, hicacheConvert, refused } from './convert-run.ts';

const SINGLE = ['flux1-dev', 'ae', 'clip_l', 't5xxl_fp16'].map((name) => `${name}.safetensors`);

let scratch: string;
/** A path in the scratch folder. */
const at = (path: string): string => join(scratch, path);
/** Where a test writes. */
let out: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'convert-refusals-'));
  await writeFiles(at('model'), diffusersFiles());
  await writeFiles(at('single'), singleFiles());
  await writeFiles(at('tokenizers'), filesBesideSingle());
  await writeFile(at('model.txt'), 'a text');
});
afterAll(() => rm(scratch, { recursive: true }));
beforeEach(async () => {
  out = await mkdtemp(at('out-'));
});

describe('a mistake of the caller', () => {
  test.each([
    ['', 'Say with --out where the bundle is.'],
    ['model', 'Say with --out where the bundle is.'],
    ['--out OUT', 'Give a folder, a file, an address or a repository to convert.'],
    ['model --out OUT --quant int5', '--quant is one of mixed, int4, int8, f16, none, not int5.'],
    ['model --out OUT --memory 10', '--memory is a whole number of MiB from 256, not 10.'],
    ['model --out OUT --memory much', '--memory is a whole number of MiB from 256, not much.'],
    ['model --out OUT --lora x.safetensors:11', '--lora x.safetensors:11: the strength is'],
    ['model --out OUT --lora x.safetensors:1.2.3', '--lora x.safetensors:1.2.3: the strength is'],
    ['model --out OUT --lora model', 'model has 4 .safetensors files, not one.'],
    ['model --out OUT --colour red', "Unknown option '--colour'"],
    ['ORG/NAME --out OUT --token secret', 'The access token does not begin with hf_'],
    ['model.txt --out OUT', 'model.txt is neither a folder nor a .safetensors file.'],
    ['model --out model.txt', 'model.txt is a file, not a folder.'],
    ['model --out model.txt/bundle', 'model.txt is a file, not a folder.'],
  ])('%s: %s', async (line, message) => {
    const words = line.split(' ').filter(Boolean);
    const error = await refused(
      ...words.map((word) => (word === 'OUT' ? out : /^model/.test(word) ? at(word) : word)),
    );
    expect(error.code).toBe('bad-request');
    expect(error.message).toContain(message);
  });

  test('ends with code 2, and everything else that fails with code 1', async () => {
    const mistake = await hicacheConvert(['x', '--out', out, '--quant', 'int5']);
    expect(mistake.code).toBe(2);
    expect(mistake.err).toMatch(/^--quant is one of .*\nAsk for --help to see the options\.\n$/);
    const missing = await hicacheConvert([at('none/such/folder'), '--out', out]);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain(`There is no folder or file ${at('none/such/folder')}.`);
  });

  test.each(['none.safetensors', './none', 'many/deep/folders'])(
    '%s is no repository',
    async (path) => {
      const error = await refused(path, '--out', out);
      expect(error.code).toBe('not-found');
      expect(error.message).toContain(`There is no folder or file ${path}.`);
    },
  );
});

describe('a model that is not complete', () => {
  test.each([
    ['ae.safetensors', 'there is no autoencoder.', 'Add ae.safetensors or a folder vae.'],
    ['flux1-dev.safetensors', 'there is no transformer.', 'Add flux1-dev.safetensors or'],
    ['t5xxl_fp16.safetensors', 'there is no T5 text encoder.', 'Add t5xxl_fp16.safetensors or'],
    ['clip_l.safetensors', 'there is no CLIP text encoder.', 'Add clip_l.safetensors or'],
    ['tokenizers', 'There is no T5 tokenizer', 'Add tokenizer.json or spiece.model'],
  ])('without %s: %s', async (left, message, hint) => {
    const sources = [...SINGLE.map((name) => at(`single/${name}`)), at('tokenizers')];
    const given = sources.filter((path) => !path.endsWith(left));
    expect(given).toHaveLength(4);
    const error = await refused(...given, '--out', out);
    expect(error.code).toBe('not-found');
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
    expect([...filesIn(out).keys()]).toEqual([]);
  });
});

describe('a checkpoint that cannot be converted', () => {
  test('a pipeline of Stable Diffusion 3', async () => {
    await writeFiles(at('sd3'), diffusersFiles());
    await writeFile(
      at('sd3/transformer/config.json'),
      JSON.stringify({ _class_name: 'SD3Transformer2DModel', in_channels: 16, num_layers: 24 }),
    );
    const error = await refused(at('sd3'), '--out', out);
    expect(error.code).toBe('bad-checkpoint');
    expect(error.message).toBe(
      'transformer/config.json is Stable Diffusion 3 (SD3Transformer2DModel), not FLUX.1.',
    );
    expect(error.hint).toContain('FLUX.1 dev, schnell and fine-tunes of them can');
  });

  test.each([
    ['model.gguf', 'GGUF', 'is in the GGUF format, which cannot be read.'],
    ['model.ckpt', 'PK', "is in PyTorch's pickle format, which cannot be read."],
    ['model.onnx', '', 'is in the ONNX format, which cannot be read.'],
  ])('a file %s', async (name, content, message) => {
    await writeFile(at(name), content);
    const asModel = await refused(at(name), '--out', out);
    expect(asModel.code).toBe('bad-checkpoint');
    expect(asModel.message).toBe(`${name} ${message}`);
    const asLora = await refused(at('model'), '--lora', at(name), '--out', out);
    expect(asLora.message).toBe(`${name} ${message}`);
  });

  test('weights that bitsandbytes has quantized', async () => {
    const names = [
      'img_in.weight.absmax',
      'img_in.weight.quant_state.bitsandbytes__nf4',
      'double_blocks.0.img_attn.qkv.weight',
    ];
    const entry = { dtype: 'U8', shape: [1], data_offsets: [0, 1] };
    const header = Object.fromEntries(
      names.map((name, i) => [name, { ...entry, data_offsets: [i, i + 1] }]),
    );
    await writeFile(at('nf4.safetensors'), safetensorsFile(header, new Uint8Array(3)));
    const error = await refused(at('nf4.safetensors'), '--out', out);
    expect(error.code).toBe('bad-checkpoint');
    expect(error.message).toContain(
      'nf4.safetensors: img_in.weight.absmax shows that the file was',
    );
    expect(error.message).toContain('quantized by bitsandbytes');
  });

  test('a file that was not downloaded completely', async () => {
    await copyFile(at('single/ae.safetensors'), at('cut.safetensors'));
    await truncate(at('cut.safetensors'), 1_000_000);
    const error = await refused(at('cut.safetensors'), '--out', out);
    expect(error.code).toBe('bad-checkpoint');
    expect(error.message).toContain('cut.safetensors');
  });
});

test('a folder of links is converted as the folder that they lead to', async () => {
  await mkdir(at('links'));
  for (const name of ['transformer', 'text_encoder', 'text_encoder_2', 'vae', 'tokenizer']) {
    await symlink(at(`model/${name}`), at(`links/${name}`));
  }
  // Without the second tokenizer, so that it ends once all four parts are found.
  const error = await refused(at('links'), '--out', out);
  expect(error.message).toContain('There is no T5 tokenizer');
});
