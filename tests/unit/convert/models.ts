/** Tiny random FLUX models, file by file, for tests of layouts. */
import { readAll, type TensorSource } from '../../../src/convert/checkpoint/tensors.ts';
import { safetensorsFile } from './memory.ts';
import { MemoryTensors } from './tensors.ts';

const HIDDEN = 64;
const TEXT = 32;
const POOLED = 64;

/** Draws the tensors' numbers. */
class Drawer {
  readonly tensors = new MemoryTensors();
  private state = 1;

  draw(name: string, ...shape: number[]): void {
    const count = shape.reduce((product, size) => product * size, 1);
    this.tensors.add(
      name,
      shape,
      Float32Array.from({ length: count }, () => this.next()),
    );
  }

  linear(name: string, outputs: number, inputs: number): void {
    this.draw(`${name}.weight`, outputs, inputs);
    this.draw(`${name}.bias`, outputs);
  }

  convolution(name: string, outputs: number, inputs: number, side = 3): void {
    this.draw(`${name}.weight`, outputs, inputs, side, side);
    this.draw(`${name}.bias`, outputs);
  }

  norm(name: string, width: number): void {
    this.draw(`${name}.weight`, width);
    this.draw(`${name}.bias`, width);
  }

  private next(): number {
    this.state = (this.state * 48271) % 2147483647;
    return (this.state % 1024) / 512 - 1;
  }
}

/** As Black Forest Labs name it: one double and two single blocks. */
export function bflTransformer({ guidance }: { guidance: boolean }): MemoryTensors {
  const file = new Drawer();
  file.linear('img_in', HIDDEN, 64);
  file.linear('txt_in', HIDDEN, TEXT);
  for (const name of ['time_in', 'vector_in', ...(guidance ? ['guidance_in'] : [])]) {
    file.linear(`${name}.in_layer`, HIDDEN, name === 'vector_in' ? POOLED : 256);
    file.linear(`${name}.out_layer`, HIDDEN, HIDDEN);
  }
  for (const stream of ['double_blocks.0.img', 'double_blocks.0.txt']) {
    file.linear(`${stream}_mod.lin`, 6 * HIDDEN, HIDDEN);
    file.linear(`${stream}_attn.qkv`, 3 * HIDDEN, HIDDEN);
    file.linear(`${stream}_attn.proj`, HIDDEN, HIDDEN);
    file.linear(`${stream}_mlp.0`, 4 * HIDDEN, HIDDEN);
    file.linear(`${stream}_mlp.2`, HIDDEN, 4 * HIDDEN);
    file.draw(`${stream}_attn.norm.query_norm.scale`, HIDDEN);
    file.draw(`${stream}_attn.norm.key_norm.scale`, HIDDEN);
  }
  for (const block of ['single_blocks.0', 'single_blocks.1']) {
    file.linear(`${block}.modulation.lin`, 3 * HIDDEN, HIDDEN);
    file.linear(`${block}.linear1`, 7 * HIDDEN, HIDDEN);
    file.linear(`${block}.linear2`, HIDDEN, 5 * HIDDEN);
    file.draw(`${block}.norm.query_norm.scale`, HIDDEN);
    file.draw(`${block}.norm.key_norm.scale`, HIDDEN);
  }
  file.linear('final_layer.linear', 64, HIDDEN);
  file.linear('final_layer.adaLN_modulation.1', 2 * HIDDEN, HIDDEN);
  return file.tensors;
}

export function t5(): MemoryTensors {
  const file = new Drawer();
  file.draw('shared.weight', 40, TEXT);
  for (let i = 0; i < 2; i++) {
    const block = `encoder.block.${i}.layer`;
    for (const part of ['q', 'k', 'v'])
      file.draw(`${block}.0.SelfAttention.${part}.weight`, 24, TEXT);
    file.draw(`${block}.0.SelfAttention.o.weight`, TEXT, 24);
    if (i === 0) file.draw(`${block}.0.SelfAttention.relative_attention_bias.weight`, 32, 2);
    file.draw(`${block}.0.layer_norm.weight`, TEXT);
    for (const part of ['wi_0', 'wi_1'])
      file.draw(`${block}.1.DenseReluDense.${part}.weight`, 48, TEXT);
    file.draw(`${block}.1.DenseReluDense.wo.weight`, TEXT, 48);
    file.draw(`${block}.1.layer_norm.weight`, TEXT);
  }
  file.draw('encoder.final_layer_norm.weight', TEXT);
  return file.tensors;
}

export function clip(): MemoryTensors {
  const file = new Drawer();
  file.draw('text_model.embeddings.token_embedding.weight', 50, POOLED);
  file.draw('text_model.embeddings.position_embedding.weight', 77, POOLED);
  const layer = 'text_model.encoder.layers.0';
  for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) {
    file.linear(`${layer}.self_attn.${part}`, POOLED, POOLED);
  }
  for (const part of ['layer_norm1', 'layer_norm2']) file.norm(`${layer}.${part}`, POOLED);
  file.linear(`${layer}.mlp.fc1`, 96, POOLED);
  file.linear(`${layer}.mlp.fc2`, POOLED, 96);
  file.norm('text_model.final_layer_norm', POOLED);
  return file.tensors;
}

/** As Latent Diffusion names it: a decoder of two stages. */
export function ldmAutoencoder(): MemoryTensors {
  const file = new Drawer();
  const residual = (name: string): void => {
    file.norm(`${name}.norm1`, 32);
    file.convolution(`${name}.conv1`, 32, 32);
    file.norm(`${name}.norm2`, 32);
    file.convolution(`${name}.conv2`, 32, 32);
  };
  file.convolution('decoder.conv_in', 32, 16);
  for (const name of ['mid.block_1', 'mid.block_2']) residual(`decoder.${name}`);
  file.norm('decoder.mid.attn_1.norm', 32);
  for (const part of ['q', 'k', 'v', 'proj_out']) {
    file.convolution(`decoder.mid.attn_1.${part}`, 32, 32, 1);
  }
  for (const block of ['up.0.block.0', 'up.0.block.1', 'up.1.block.0', 'up.1.block.1']) {
    residual(`decoder.${block}`);
  }
  file.convolution('decoder.up.1.upsample.conv', 32, 32);
  file.norm('decoder.norm_out', 32);
  file.convolution('decoder.conv_out', 3, 32);
  return file.tensors;
}

/** AutoencoderTiny's decoder, of four stages. */
export function tinyDecoder(): MemoryTensors {
  const file = new Drawer();
  let layer = 0;
  const next = (): string => `decoder.layers.${layer++}`;
  const block = (): void => {
    const name = next();
    for (const index of [0, 2, 4]) file.convolution(`${name}.conv.${index}`, 4, 4);
  };
  file.convolution(next(), 4, 16);
  next();
  for (const blocks of [3, 1, 2]) {
    for (let i = 0; i < blocks; i++) block();
    next();
    file.draw(`${next()}.weight`, 4, 4, 3, 3);
  }
  block();
  file.convolution(next(), 3, 4);
  return file.tensors;
}

/** All of them in one float32 file, each under its prefix. */
export async function fileOf(
  parts: Readonly<Record<string, TensorSource>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const values: Float32Array[] = [];
  let end = 0;
  for (const [prefix, tensors] of Object.entries(parts)) {
    for (const name of tensors.names()) {
      const numbers = await readAll(tensors, name);
      const begin = end;
      end += numbers.byteLength;
      const entry = { dtype: 'F32', shape: tensors.shape(name), data_offsets: [begin, end] };
      header[prefix + name] = entry;
      values.push(numbers);
    }
  }
  const data = new Uint8Array(end);
  let filled = 0;
  for (const numbers of values) {
    data.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), filled);
    filled += numbers.byteLength;
  }
  return safetensorsFile(header, data);
}
