/** Takes weights from a checkpoint into a data file, quantized as the policy says. */
import { AppError } from '../errors.ts';
import type { Precision, StoredTensor } from './builder.ts';
import type { Sink } from './files.ts';
import { floatsToHalves } from '../half.ts';
import { matrixStorage, vectorStorage, type Quantization } from './policy.ts';
import { BLOCK, quantizeMatrix, type Bits } from './quantize.ts';
import type { Checkpoint } from './safetensors.ts';

/** WebGPU and memory mapping both want tensors to begin at such positions. */
const ALIGNMENT = 64;

/** A linear layer's matrix, as one of two kinds of node reads it. */
export type StoredMatrix = { readonly inputs: number; readonly outputs: number } & (
  | {
      readonly kind: 'blocks';
      readonly bits: Bits;
      readonly packed: StoredTensor;
      readonly scales: StoredTensor;
    }
  /** Transposed to [inputs, outputs], as MatMul wants it. */
  | { readonly kind: 'dense'; readonly matrix: StoredTensor }
);

/** An external data file, filled tensor by tensor. */
export class DataFile {
  private size = 0;

  constructor(
    private readonly sink: Sink,
    readonly path: string,
  ) {}

  async add(
    name: string,
    type: StoredTensor['type'],
    shape: readonly number[],
    data: Uint8Array | Uint16Array | Float32Array,
  ): Promise<StoredTensor> {
    const padding = (ALIGNMENT - (this.size % ALIGNMENT)) % ALIGNMENT;
    if (padding > 0) await this.sink.append(this.path, new Uint8Array(padding));
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    await this.sink.append(this.path, bytes);
    const offset = this.size + padding;
    this.size = offset + bytes.length;
    return { name, type, shape, location: this.path, offset, bytes: bytes.length };
  }
}

/** Every weight is read, quantized and written once, however many graphs ask for it. */
export class Weights {
  private readonly matrices = new Map<string, Promise<StoredMatrix>>();
  private readonly tensors = new Map<string, Promise<StoredTensor>>();

  constructor(
    readonly checkpoint: Checkpoint,
    private readonly file: DataFile,
    private readonly quantization: Quantization,
    /** What the tensors' names begin with in the checkpoint. */
    private readonly prefix = '',
  ) {}

  /** The matrix of the linear layer `module`. */
  matrix(module: string): Promise<StoredMatrix> {
    return once(this.matrices, module, () => this.addMatrix(module));
  }

  /** Any other tensor, in its own shape. */
  tensor(name: string, type: Precision = vectorStorage(this.quantization)): Promise<StoredTensor> {
    return this.derived(name, this.shape(name), type, () => this.values(name));
  }

  /** A tensor that is computed at conversion. */
  derived(
    name: string,
    shape: readonly number[],
    type: Precision,
    compute: () => Promise<Float32Array>,
  ): Promise<StoredTensor> {
    return once(this.tensors, name, async () => {
      const values = await compute();
      const data = type === 'float16' ? floatsToHalves(values) : values;
      return this.file.add(name, type, shape, data);
    });
  }

  /** Throws `bad-checkpoint` unless the tensors named exist in these shapes. */
  expectShapes(shapes: Readonly<Record<string, readonly number[]>>): void {
    for (const [name, shape] of Object.entries(shapes)) {
      this.checkpoint.expectShape(this.prefix + name, shape);
    }
  }

  has(name: string): boolean {
    return this.checkpoint.has(this.prefix + name);
  }

  shape(name: string): readonly number[] {
    return this.checkpoint.shape(this.prefix + name);
  }

  values(name: string): Promise<Float32Array> {
    return this.checkpoint.read(this.prefix + name);
  }

  private async addMatrix(module: string): Promise<StoredMatrix> {
    const name = `${module}.weight`;
    const [outputs, inputs, ...rest] = this.shape(name);
    if (outputs === undefined || inputs === undefined || rest.length > 0) {
      throw new AppError(
        'bad-checkpoint',
        `${name} is not a matrix.`,
        'The weights do not belong to the config.json beside them.',
      );
    }
    const values = await this.values(name);
    const storage = matrixStorage(this.quantization, module);
    if ((storage === 'int4' || storage === 'int8') && inputs % BLOCK === 0) {
      const bits = storage === 'int4' ? 4 : 8;
      const { packed, scales } = quantizeMatrix(values, outputs, inputs, bits);
      const blocks = inputs / BLOCK;
      const blob = (BLOCK * bits) / 8;
      return {
        kind: 'blocks',
        bits,
        inputs,
        outputs,
        packed: await this.file.add(`${name}.codes`, 'uint8', [outputs, blocks, blob], packed),
        scales: await this.file.add(`${name}.scales`, 'float16', [outputs, blocks], scales),
      };
    }
    const dense = transpose(values, outputs, inputs);
    const matrix =
      storage === 'float32'
        ? await this.file.add(name, 'float32', [inputs, outputs], dense)
        : await this.file.add(name, 'float16', [inputs, outputs], floatsToHalves(dense));
    return { kind: 'dense', inputs, outputs, matrix };
  }
}

function once<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known) return known;
  const made = make();
  cache.set(key, made);
  return made;
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column]!;
    }
  }
  return result;
}
