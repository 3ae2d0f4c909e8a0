/** Tensors in memory, some of them with a shape alone. */
import { noTensor, rowCount, type TensorSource } from '../../../src/convert/checkpoint/tensors.ts';

interface Held {
  readonly shape: readonly number[];
  readonly values?: Float32Array;
}

export class MemoryTensors implements TensorSource {
  private readonly tensors = new Map<string, Held>();

  constructor(readonly where = 'memory') {}

  add(name: string, shape: readonly number[], values: Float32Array): this {
    this.tensors.set(name, { shape, values });
    return this;
  }

  declare(name: string, shape: readonly number[]): this {
    this.tensors.set(name, { shape });
    return this;
  }

  remove(name: string): void {
    this.tensors.delete(name);
  }

  names(): Iterable<string> {
    return this.tensors.keys();
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.held(name).shape;
  }

  storedBytes(name: string): number {
    return 4 * this.shape(name).reduce((product, size) => product * size, 1);
  }

  async rows(name: string, from: number, to: number): Promise<Float32Array> {
    const { shape, values } = this.held(name);
    if (!values) throw new Error(`${name} has a shape alone`);
    const width = values.length / Math.max(1, rowCount(shape));
    return Promise.resolve(values.slice(from * width, to * width));
  }

  private held(name: string): Held {
    return this.tensors.get(name) ?? noTensor(this.where, name);
  }
}
