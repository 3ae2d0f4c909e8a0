/** Weights that are not finite, or that their storage cannot hold, are found while converting. */
import { beforeAll, expect, test } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import { convert } from '../../../src/convert/convert.ts';
import { modelWithLoras } from '../../../src/convert/checkpoint/lora.ts';
import type { ModelParts } from '../../../src/convert/checkpoint/model-parts.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import type { Quantization } from '../../../src/convert/quantize/precision-policy.ts';
import { readHeader } from '../../../src/convert/checkpoint/safetensors-header.ts';
import { filesBesideSingle, singleFiles } from '../support/tiny-flux.ts';
import { MemoryBundle } from './memory-bundle.ts';
import { MemoryFiles } from './memory.ts';
import { fileOf } from './models.ts';
import { openFile } from '../../../src/convert/checkpoint/safetensors.ts';
import { readAll } from '../../../src/convert/checkpoint/tensors.ts';
import { MemoryTensors } from './tensors.ts';

let whole: Record<string, Uint8Array>;
beforeAll(() => {
  whole = Object.fromEntries([...singleFiles(), ...filesBesideSingle()]);
});

async function refusal(
  files: Record<string, Uint8Array>,
  quantization: Quantization,
  change: (model: ModelParts) => ModelParts = (model) => model,
): Promise<AppError> {
  const model = change(await openModel(new MemoryFiles(files)));
  const target = new MemoryBundle().open();
  const error: unknown = await convert(model, target, { quantization }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

/** The float16 file with the last number of a tensor set to these bits. */
async function spoiled(path: string, name: string, bits: number): Promise<Uint8Array> {
  const file = whole[path]!.slice();
  const { tensors } = await readHeader(new MemoryFiles({ [path]: file }), path);
  const { offset, bytes } = tensors.get(name)!;
  new DataView(file.buffer).setUint16(offset + bytes - 2, bits, true);
  return file;
}

/** Kept as codes, as dense matrices, as vectors, in tables, as convolutions and in derived biases. */
const TENSORS = [
  ['flux1-dev.safetensors', 'double_blocks.0.img_attn.qkv.weight'],
  ['flux1-dev.safetensors', 'double_blocks.0.img_mod.lin.bias'],
  ['flux1-dev.safetensors', 'double_blocks.0.txt_mlp.0.bias'],
  ['flux1-dev.safetensors', 'single_blocks.0.norm.key_norm.scale'],
  ['flux1-dev.safetensors', 'img_in.weight'],
  ['flux1-dev.safetensors', 'final_layer.adaLN_modulation.1.bias'],
  [
    't5xxl_fp16.safetensors',
    'encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight',
  ],
  ['t5xxl_fp16.safetensors', 'encoder.final_layer_norm.weight'],
  ['clip_l.safetensors', 'text_model.final_layer_norm.bias'],
  ['ae.safetensors', 'decoder.conv_in.weight'],
] as const;

test.each(TENSORS)('%s: %s', async (path, name) => {
  for (const [bits, value, quantization] of [
    [0x7e00, 'NaN', 'int4'],
    [0x7c00, 'Infinity', 'f16'],
    [0xfc00, '-Infinity', 'none'],
  ] as const) {
    const error = await refusal(
      { ...whole, [path]: await spoiled(path, name, bits) },
      quantization,
    );
    expect(error.code).toBe('bad-checkpoint');
    expect(error.message).toBe(`${path}: ${name}: a weight is ${value}, not a finite number.`);
    expect(error.hint).toContain('download it again or use another copy');
  }
});

test('a float32 weight beyond half precision', async () => {
  const path = 'flux1-dev.safetensors';
  const checkpoint = await openFile(new MemoryFiles(whole), path);
  for (const name of ['img_in.weight', 'double_blocks.0.txt_mlp.0.bias']) {
    const copy = new MemoryTensors();
    for (const one of checkpoint.names()) {
      const values = await readAll(checkpoint, one);
      if (one === name) values[values.length - 1] = 70000;
      copy.add(one, checkpoint.shape(one), values);
    }
    const error = await refusal({ ...whole, [path]: await fileOf({ '': copy }) }, 'int4');
    expect(error.message).toBe(
      `${path}: ${name}: a weight is 70000, which cannot be stored in half precision.`,
    );
    expect(error.hint).toContain('--quant none');
  }
});

test('a sum with a LoRA beyond half precision', async () => {
  const error = await refusal(whole, 'f16', (model) => {
    const [height = 0, width = 0] = model.transformer.shape('x_embedder.weight');
    const tensors = new MemoryTensors('style.safetensors')
      .add('x_embedder.lora_A.weight', [1, width], new Float32Array(width).fill(300))
      .add('x_embedder.lora_B.weight', [height, 1], new Float32Array(height).fill(300));
    return modelWithLoras(model, [{ tensors, strength: 1 }]);
  });
  expect(error.message).toMatch(/img_in\.weight: a weight is 89999\.\d+.*half precision/);
  expect(error.hint).toContain('strength of a LoRA');
});

test.each([
  ['F32', Uint8Array.of(0, 0, 0xc0, 0x7f)],
  ['BF16', Uint8Array.of(0xc0, 0x7f)],
  ['F8_E4M3', Uint8Array.of(0x7f)],
  ['F8_E5M2', Uint8Array.of(0x7e)],
])('a NaN stored as %s', async (dtype, number) => {
  const path = 'flux1-dev.safetensors';
  const name = 'double_blocks.0.txt_mlp.0.bias';
  const { tensors } = await readHeader(new MemoryFiles(whole), path);
  const header: Record<string, unknown> = {};
  const data: Uint8Array[] = [];
  let end = 0;
  for (const [one, { shape, offset, bytes, element }] of tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    const own = whole[path]!.slice(offset, offset + bytes);
    const stored = new Uint8Array(count * number.length);
    stored.set(number, stored.length - number.length);
    const content = one === name ? stored : own;
    header[one] = {
      dtype: one === name ? dtype : element,
      shape,
      data_offsets: [end, end + content.length],
    };
    data.push(content);
    end += content.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let filled = 8 + text.length;
  for (const content of data) {
    file.set(content, filled);
    filled += content.length;
  }
  const error = await refusal({ ...whole, [path]: file }, 'int4');
  expect(error.message).toBe(`${path}: ${name}: a weight is NaN, not a finite number.`);
});
