/** LoRA files as trainers and extractors write them, and why others cannot be merged. */
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import { floatsToHalves } from '../../../src/shared/half.ts';
import { openLoraFile } from '../../../src/convert/checkpoint/lora-file.ts';
import { withLora } from '../../../src/convert/checkpoint/lora.ts';
import { readAll } from '../../../src/convert/checkpoint/tensors.ts';
import { MemoryFiles, safetensorsFile } from './memory.ts';
import { bflTransformer } from './models.ts';
import { partsIn } from '../../../src/convert/checkpoint/layouts/recognise.ts';
import { MemoryTensors } from './tensors.ts';

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const floats = (shape: readonly number[], ...values: number[]): Stored => ({
  dtype: 'F32',
  shape,
  bytes: bytesOf(Float32Array.from(values)),
});

function fileOf(
  tensors: Readonly<Record<string, Stored>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const data = new Uint8Array(end);
  let filled = 0;
  for (const { bytes } of Object.values(tensors)) {
    data.set(bytes, filled);
    filled += bytes.length;
  }
  return safetensorsFile(header, data);
}

const DOWN = floats([2, 3], 1, 2, 3, 0, 0, 0);
const UP = floats([2, 2], 1, 0, 10, 0);

/** What a LoRA of rank 2 adds to a matrix of zeros, [2, 3], times alpha / 2. */
async function added(
  tensors: Readonly<Record<string, Stored>>,
  metadata: Readonly<Record<string, string>> = {},
  beside: Readonly<Record<string, string>> = {},
  module = 'transformer_blocks.0.attn.to_q',
): Promise<number[]> {
  const base = new MemoryTensors().add(`${module}.weight`, [2, 3], new Float32Array(6));
  const source = new MemoryFiles({ 'lora.safetensors': fileOf(tensors, metadata), ...beside });
  const lora = await openLoraFile(source, 'lora.safetensors', 1);
  return [...(await readAll(withLora(base, [lora]), `${module}.weight`))];
}

const times = (scale: number): number[] => [1, 2, 3, 10, 20, 30].map((value) => value * scale);

const KOHYA = 'lora_unet_transformer_blocks_0_attn_to_q';
const kohya = (alpha: Stored): Record<string, Stored> => ({
  [`${KOHYA}.lora_down.weight`]: DOWN,
  [`${KOHYA}.lora_up.weight`]: UP,
  [`${KOHYA}.alpha`]: alpha,
});

describe('alpha', () => {
  const eight: readonly (readonly [string, Uint8Array])[] = [
    ['I64', bytesOf(BigInt64Array.of(8n))],
    ['U64', bytesOf(BigUint64Array.of(8n))],
    ['I32', bytesOf(Int32Array.of(8))],
    ['I16', bytesOf(Int16Array.of(8))],
    ['I8', bytesOf(Int8Array.of(8))],
    ['U8', Uint8Array.of(8)],
    ['F64', bytesOf(Float64Array.of(8))],
    ['F32', bytesOf(Float32Array.of(8))],
    ['F16', bytesOf(floatsToHalves(Float32Array.of(8)))],
    ['BF16', bytesOf(new Uint16Array(Float32Array.of(8).buffer).slice(1))],
    ['F8_E4M3', Uint8Array.of(0x50)],
  ];

  test.each(eight)('as %s, of no axes, one or two', async (dtype, bytes) => {
    for (const shape of [[], [1], [1, 1]]) {
      expect(await added(kohya({ dtype, shape, bytes }))).toEqual(times(4));
    }
  });

  test('of a negative integer', async () => {
    const bytes = bytesOf(BigInt64Array.of(-2n));
    expect(await added(kohya({ dtype: 'I64', shape: [], bytes }))).toEqual(times(-1));
  });

  test.each([
    [floats([2], 1, 2), 'alpha has shape [2], expected a single number'],
    [floats([], NaN), 'alpha: a weight is NaN'],
    [floats([], Infinity), 'alpha: a weight is Infinity'],
    [{ dtype: 'BOOL', shape: [], bytes: Uint8Array.of(1) }, 'alpha is stored as BOOL'],
  ])('that is none', async (alpha, message) => {
    await expect(added(kohya(alpha))).rejects.toThrow(message);
  });

  test('matrices of integers are codes, which nobody can read', async () => {
    const tensors = {
      ...kohya(floats([], 2)),
      [`${KOHYA}.lora_up.weight`]: { dtype: 'I8', shape: [2, 2], bytes: new Uint8Array(4) },
    };
    await expect(added(tensors)).rejects.toThrow('is stored as I8');
  });
});

describe('what trainers write', () => {
  const peft = (prefix: string, name = ''): Record<string, Stored> => ({
    [`${prefix}transformer_blocks.0.attn.to_q.lora_A${name}.weight`]: DOWN,
    [`${prefix}transformer_blocks.0.attn.to_q.lora_B${name}.weight`]: UP,
  });

  test("PEFT's adapter_config.json beside the file", async () => {
    const config = (more: object): Record<string, string> => ({
      'adapter_config.json': JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 8, ...more }),
    });
    const tensors = peft('base_model.model.');
    expect(await added(tensors, {}, config({}))).toEqual(times(4));
    const stabilized = await added(tensors, {}, config({ use_rslora: true }));
    for (const [i, value] of times(8 / Math.sqrt(2)).entries()) {
      expect(stabilized[i]).toBeCloseTo(value, 4);
    }
    const patterns = { alpha_pattern: { 'attn.to_k': 2, 'attn.to_q': 6 } };
    expect(await added(tensors, {}, config(patterns))).toEqual(times(3));
    await expect(added(tensors, {}, config({ use_dora: true }))).rejects.toThrow('use_dora');
    expect(await added(tensors)).toEqual(times(1));
  });

  test("diffusers' metadata, of the part that they are for", async () => {
    const metadata = (settings: object): Record<string, string> => ({
      lora_adapter_metadata: JSON.stringify(settings),
    });
    const tensors = peft('transformer.');
    expect(await added(tensors, metadata({ 'transformer.lora_alpha': 4 }))).toEqual(times(2));
    expect(await added(tensors, metadata({ 'text_encoder.lora_alpha': 4 }))).toEqual(times(1));
  });

  test('an alpha of its own goes before the settings', async () => {
    const tensors = {
      ...peft('transformer.'),
      'transformer.transformer_blocks.0.attn.to_q.alpha': floats([], 6),
    };
    const metadata = { lora_adapter_metadata: '{"transformer.lora_alpha":4}' };
    expect(await added(tensors, metadata)).toEqual(times(3));
  });

  test('names of adapters, and linear layers as 1x1 convolutions', async () => {
    expect(await added(peft('transformer.', '.default_0'))).toEqual(times(1));
    const convolutions = {
      'transformer.transformer_blocks.0.attn.to_q.lora_A.weight': { ...DOWN, shape: [2, 3, 1, 1] },
      'transformer.transformer_blocks.0.attn.to_q.lora_B.weight': { ...UP, shape: [2, 2, 1, 1] },
    };
    expect(await added(convolutions)).toEqual(times(1));
  });

  test("XLabs' names, whose numbers are the image and the text", async () => {
    const base = partsIn(bflTransformer({ guidance: true }))[0]!.open().tensors;
    const matrices = { down: floats([1, 64], ...Array<number>(64).fill(1)), up: 192 };
    for (const [stream, weight] of [
      ['qkv_lora1', 'transformer_blocks.0.attn.to_k.weight'],
      ['qkv_lora2', 'transformer_blocks.0.attn.add_k_proj.weight'],
    ] as const) {
      const file = fileOf({
        [`double_blocks.0.processor.${stream}.down.weight`]: matrices.down,
        [`double_blocks.0.processor.${stream}.up.weight`]: floats(
          [matrices.up, 1],
          ...Array<number>(matrices.up).fill(2),
        ),
      });
      const source = new MemoryFiles({ 'x.safetensors': file });
      const merged = withLora(base, [await openLoraFile(source, 'x.safetensors', 1)]);
      const before = await readAll(base, weight);
      expect(await readAll(merged, weight)).toEqual(before.map((value) => value + 2));
    }
  });
});

describe('says why', () => {
  const base = partsIn(bflTransformer({ guidance: false }))[0]!.open().tensors;
  const pair = (module: string, down: readonly number[], up: readonly number[]): MemoryTensors =>
    new MemoryTensors('lora.safetensors')
      .declare(`${module}.lora_A.weight`, down)
      .declare(`${module}.lora_B.weight`, up);
  const refused = (tensors: MemoryTensors): AppError => {
    try {
      withLora(base, [{ tensors, strength: 1 }]);
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
    throw new Error('it was merged');
  };

  test.each([
    ['transformer.single_transformer_blocks.18.attn.to_q', 'block 18 of single_transformer_blocks'],
    ['diffusion_model.single_blocks.18.linear1', 'block 18 of single_blocks'],
    ['transformer.transformer_blocks.1.attn.to_q', 'block 1 of transformer_blocks'],
    ['lora_unet_double_blocks_18_img_attn_qkv', 'block 18 of double_blocks'],
  ])('%s: the model is smaller', (module, words) => {
    const error = refused(pair(module, [1, 64], [64, 1]));
    expect(error.message).toContain(words);
    expect(error.message).toMatch(/the model has only (1 block|2 blocks) there\.$/);
    expect(error.hint).toContain('made for a larger model');
    expect(error.hint).not.toMatch(/DoRA|LoKr/);
  });

  test.each([
    ['lora_unet_down_blocks_0_attentions_0_proj_in', 'Stable Diffusion 1, 2 or XL'],
    ['lora_unet_input_blocks_4_1_proj_in', 'Stable Diffusion 1, 2 or XL'],
    ['lora_unet_joint_blocks_0_x_block_attn_qkv', 'Stable Diffusion 3'],
    ['diffusion_model.blocks.0.self_attn.q', 'Wan'],
    ['diffusion_model.layers.0.attention.to_q', 'Z-Image or Lumina'],
    ['transformer.transformer_blocks.0.img_mlp.net.0.proj', 'Qwen-Image'],
    ['transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj', 'FLUX.2'],
    ['diffusion_model.distilled_guidance_layer.in_proj', 'Chroma'],
    ['diffusion_model.double_stream_blocks.0.block.attn1.to_q', 'HiDream'],
  ])('%s is of %s', (module, family) => {
    expect(refused(pair(module, [1, 64], [64, 1])).message).toContain(`a module of ${family},`);
  });

  test('a LoRA for guidance, other widths, a control image', () => {
    const guidance = refused(pair('guidance_in.in_layer', [1, 256], [64, 1]));
    expect(guidance.message).toContain('guidance embedding');
    expect(guidance.hint).toContain('FLUX.1-dev');
    const wide = refused(pair('transformer.transformer_blocks.0.attn.to_q', [4, 128], [128, 4]));
    expect(wide.message).toContain('has shape [4, 128], expected [4, 64]');
    expect(wide.hint).toContain('a model of other sizes');
    const control = refused(pair('transformer.x_embedder', [4, 128], [64, 4]));
    expect(control.hint).toContain('control LoRA (Depth or Canny)');
  });

  const q = 'transformer.transformer_blocks.0.attn.to_q';
  test.each([
    [`${q}.dora_scale`, 'It is a DoRA'],
    [`${q}.lora_magnitude_vector`, 'It is a DoRA'],
    ['lora_unet_double_blocks_0_img_attn_qkv.lokr_w1', 'trained with LoKr'],
    ['lycoris_double_blocks_0_img_attn_qkv.lokr_w2_a', 'trained with LoKr'],
    ['lora_unet_double_blocks_0_img_attn_qkv.hada_w1_a', 'trained with LoHa'],
    ['lora_unet_double_blocks_0_img_attn_qkv.oft_blocks', 'trained with OFT'],
    [`${q}.lora_B.bias`, 'Its matrices have biases'],
    ['diffusion_model.img_in.diff_b', 'changes whole weights or biases'],
    ['single_blocks.0.norm.key_norm.scale', 'control LoRA'],
    ['bundle_emb.sks.clip_l', 'trained word embeddings'],
  ])('%s: %s', (name, hint) => {
    const error = refused(pair(q, [1, 64], [64, 1]).declare(name, [1]));
    expect(error.message).toContain(`${name} is not part of a plain LoRA`);
    expect(error.hint).toContain(hint);
  });

  test('a file that is no LoRA, and an empty one', () => {
    const whole = bflTransformer({ guidance: true });
    expect(refused(whole).message).toContain('it holds whole weights (img_in.weight), not a LoRA');
    expect(refused(new MemoryTensors('x.safetensors')).message).toContain('it holds no tensors');
  });

  test('halves of pairs, by the half that is missing', () => {
    const tensors = pair(q, [1, 64], [64, 1]);
    tensors.remove(`${q}.lora_A.weight`);
    expect(refused(tensors).message).toContain('lora_B.weight has no first matrix');
    const alone = new MemoryTensors('lora.safetensors').declare(`${q}.alpha`, []);
    expect(refused(alone).message).toContain('alpha belongs to no matrices');
  });

  test('values that are not finite, in either matrix', async () => {
    for (const [down, up] of [
      [floats([2, 3], 1, NaN, 3, 0, 0, 0), UP],
      [DOWN, floats([2, 2], 1, 0, Infinity, 0)],
    ] as const) {
      const tensors = { [`${KOHYA}.lora_down.weight`]: down, [`${KOHYA}.lora_up.weight`]: up };
      await expect(added(tensors)).rejects.toThrow(
        /lora\.safetensors: lora_unet_.*\.weight: a weight is (NaN|Infinity)/,
      );
    }
  });
});
