/** Takes weights from a checkpoint into a data file, quantized as the policy says. */
import { AppError } from '../../shared/errors.ts';
import type { Precision, StoredTensor } from '../graphs/builder.ts';
import type { DataFile, TensorWriter } from '../write/data-file.ts';
import { checkedHalves, checkFinite, naming } from '../checkpoint/finite.ts';
import type { Unit } from '../write/journal.ts';
import { matrixStorage, vectorStorage, type Quantization } from './precision-policy.ts';
import { BLOCK, type Bits } from './quantize.ts';
import type { Quantizer } from './quantizer.ts';
import {
  expectShape,
  MISMATCH,
  originsOf,
  readAll,
  rowChunks,
  type TensorSource,
} from '../checkpoint/tensors.ts';

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

/** What all weights of a conversion share. */
export interface WeightSettings {
  readonly quantization: Quantization;
  readonly quantizer: Quantizer;
  /** Numbers of a tensor that are held at once. */
  readonly chunk?: number;
  /** Told of bytes of the checkpoint that are done with; what it throws ends the conversion. */
  readonly onTaken?: (bytes: number) => void;
  /** Told of every tensor that a graph takes, or that is taken into one. */
  readonly onUsed?: (source: TensorSource, name: string) => void;
  /** Told what quantizing a weight cost: the norm of the error over that of the weight. */
  readonly onStored?: (stored: StoredWeight) => void;
}

export interface StoredWeight {
  /** Name in the checkpoint. */
  readonly name: string;
  readonly storage: string;
  readonly relativeError: number;
}

/** Every weight is read, quantized and written once, however many graphs ask for it. */
export class Weights {
  private readonly matrices = new Map<string, Promise<StoredMatrix>>();
  private readonly tensors = new Map<string, Promise<StoredTensor>>();

  constructor(
    readonly source: TensorSource,
    private readonly file: DataFile,
    private readonly settings: WeightSettings,
  ) {}

  /** The matrix of the linear layer `module`. */
  matrix(module: string): Promise<StoredMatrix> {
    this.used(`${module}.weight`);
    return once(this.matrices, module, async () => {
      const matrix = await this.addMatrix(module);
      this.settings.onTaken?.(this.source.storedBytes(`${module}.weight`));
      return matrix;
    });
  }

  /** Any other tensor, in its own shape. */
  tensor(
    name: string,
    type: Precision = vectorStorage(this.settings.quantization),
  ): Promise<StoredTensor> {
    const { source } = this;
    return this.single(name, this.shape(name), type, async function* (chunk) {
      for await (const { values } of rowChunks(source, name, chunk)) yield values;
    });
  }

  /** A tensor that is computed at conversion. */
  derived(
    name: string,
    shape: readonly number[],
    type: Precision,
    compute: () => Promise<Float32Array>,
  ): Promise<StoredTensor> {
    return this.single(name, shape, type, async function* () {
      yield await compute();
    });
  }

  /** Throws `bad-checkpoint` unless the tensors named exist in these shapes. */
  expectShapes(shapes: Readonly<Record<string, readonly number[]>>): void {
    for (const [name, shape] of Object.entries(shapes)) {
      expectShape(this.source, name, shape);
      this.used(name);
    }
  }

  has(name: string): boolean {
    return this.source.has(name);
  }

  shape(name: string): readonly number[] {
    this.used(name);
    return this.source.shape(name);
  }

  /** All values, row by row: for vectors and tables, not for matrices. */
  async values(name: string): Promise<Float32Array> {
    const values = await readAll(this.source, name);
    return this.naming(name, () => checkFinite(values));
  }

  private single(
    name: string,
    shape: readonly number[],
    type: Precision,
    read: (chunk?: number) => AsyncIterable<Float32Array>,
  ): Promise<StoredTensor> {
    return once(this.tensors, name, async () => {
      const content = this.inType(name, read(this.settings.chunk), type);
      const { tensors } = await this.file.unit(name, async (writer) => {
        await writer.tensor(name, type, shape, content);
        return undefined;
      });
      if (this.has(name)) this.settings.onTaken?.(this.source.storedBytes(name));
      return tensors[0]!;
    });
  }

  private async addMatrix(module: string): Promise<StoredMatrix> {
    const name = `${module}.weight`;
    const { outputs, inputs } = this.matrixShape(name);
    const storage = matrixStorage(this.settings.quantization, module);
    if ((storage === 'int4' || storage === 'int8') && inputs % BLOCK === 0) {
      const bits = storage === 'int4' ? 4 : 8;
      const unit = await this.file.unit(name, (writer) =>
        this.writeBlocks(writer, name, outputs, inputs, bits),
      );
      this.report(name, storage, unit);
      const [packed, scales] = unit.tensors;
      return { kind: 'blocks', bits, inputs, outputs, packed: packed!, scales: scales! };
    }
    const type = storage === 'float32' ? 'float32' : 'float16';
    const { tensors } = await this.file.unit(name, async (writer) => {
      await writer.tensor(name, type, [inputs, outputs], [await this.transposed(name, type)]);
      return undefined;
    });
    return { kind: 'dense', inputs, outputs, matrix: tensors[0]! };
  }

  private matrixShape(name: string): { outputs: number; inputs: number } {
    const [outputs, inputs, ...rest] = this.shape(name);
    if (outputs === undefined || inputs === undefined || rest.length > 0) {
      throw new AppError(
        'bad-checkpoint',
        `${this.source.where}: ${name} is not a matrix.`,
        MISMATCH,
      );
    }
    return { outputs, inputs };
  }

  /** Codes go out row by row as they are made; the scales, a thirty-second of them, follow. */
  private async writeBlocks(
    writer: TensorWriter,
    name: string,
    outputs: number,
    inputs: number,
    bits: Bits,
  ): Promise<Unit['error']> {
    const { quantizer, chunk } = this.settings;
    const { source } = this;
    const blocks = inputs / BLOCK;
    const scales = new Uint16Array(outputs * blocks);
    const error = { squaredError: 0, squaredNorm: 0 };
    const rethrow = (thrown: unknown): never => {
      throw this.named(name, thrown);
    };
    async function* codes(): AsyncGenerator<Uint8Array> {
      for await (const { from, to, values } of rowChunks(source, name, chunk)) {
        const rows = await quantizer.quantize(values, to - from, inputs, bits).catch(rethrow);
        scales.set(rows.scales, from * blocks);
        error.squaredError += rows.squaredError;
        error.squaredNorm += rows.squaredNorm;
        yield rows.packed;
      }
    }
    const blob = (BLOCK * bits) / 8;
    await writer.tensor(`${name}.codes`, 'uint8', [outputs, blocks, blob], codes());
    await writer.tensor(`${name}.scales`, 'float16', [outputs, blocks], [scales]);
    return error;
  }

  /** The whole matrix, column by column, in the type that it is stored in. */
  private async transposed(name: string, type: Precision): Promise<Uint16Array | Float32Array> {
    const { outputs, inputs } = this.matrixShape(name);
    const size = outputs * inputs;
    const result = type === 'float16' ? new Uint16Array(size) : new Float32Array(size);
    for await (const { from, to, values } of rowChunks(this.source, name, this.settings.chunk)) {
      const numbers = this.naming(name, () => checked(values, type));
      for (let column = 0; column < inputs; column++) {
        const start = column * outputs;
        for (let row = from; row < to; row++) {
          result[start + row] = numbers[(row - from) * inputs + column]!;
        }
      }
    }
    return result;
  }

  private async *inType(
    name: string,
    chunks: AsyncIterable<Float32Array>,
    type: Precision,
  ): AsyncGenerator<ArrayBufferView> {
    for await (const values of chunks) yield this.naming(name, () => checked(values, type));
  }

  private used(name: string): void {
    this.settings.onUsed?.(this.source, name);
  }

  private naming<T>(name: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.named(name, error);
    }
  }

  /** By the tensor's name in the file. */
  private named(name: string, error: unknown): unknown {
    const { source } = this;
    const tensor = source.has(name) ? originsOf(source, name).join(' or ') : name;
    return naming(source.where, tensor, error);
  }

  private report(name: string, storage: string, { error }: Unit): void {
    if (!error) return;
    const { squaredError, squaredNorm } = error;
    const relativeError = squaredNorm === 0 ? 0 : Math.sqrt(squaredError / squaredNorm);
    this.settings.onStored?.({ name, storage, relativeError });
  }
}

/** In the type that they are stored in. @throws AppError `bad-checkpoint` for what it cannot hold */
function checked(values: Float32Array, type: Precision): Uint16Array | Float32Array {
  return type === 'float16' ? checkedHalves(values) : checkFinite(values);
}

function once<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known) return known;
  const made = make();
  cache.set(key, made);
  return made;
}
