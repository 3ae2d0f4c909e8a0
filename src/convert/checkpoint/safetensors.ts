/** Reads safetensors weights, row by row where asked to: one file, or several with an index. */
import { AppError } from '../../shared/errors.ts';
import { decoderOf, READABLE } from './elements.ts';
import { readBytes, type Source } from '../files.ts';
import { checkShards } from './layouts/shards.ts';
import {
  broken,
  isObject,
  parseObject,
  readHeader,
  type TensorEntry,
} from './safetensors-header.ts';
import { noTensor, readAll, rowCount, type TensorSource } from './tensors.ts';

export type { TensorEntry } from './safetensors-header.ts';

/** The tensors of one file, or of one index, by the names that they have there. */
export class Checkpoint implements TensorSource {
  constructor(
    private readonly source: Source,
    readonly where: string,
    readonly tensors: ReadonlyMap<string, TensorEntry>,
    /** What the file says of itself; nothing for several files. */
    readonly metadata: ReadonlyMap<string, string> = new Map(),
  ) {}

  names(): Iterable<string> {
    return this.tensors.keys();
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  storedBytes(name: string): number {
    return this.entry(name).bytes;
  }

  async rows(name: string, from: number, to: number): Promise<Float32Array> {
    const { file, element, shape, offset, bytes } = this.entry(name);
    const numbers = shape.reduce((product, size) => product * size, 1);
    const decode = decoderOf(element, numbers);
    if (!decode) {
      throw new AppError(
        'bad-checkpoint',
        `${file}: ${name} is stored as ${element}; only ${READABLE.join(', ')} can be read.`,
        'Save the weights in one of those types.',
      );
    }
    const count = rowCount(shape);
    if (from < 0 || to < from || to > count) {
      throw new RangeError(`rows ${from} to ${to} of ${name}, which has ${count}`);
    }
    if (to === from || bytes === 0) return new Float32Array(0);
    const rowBytes = bytes / count;
    return decode(await this.source.read(file, offset + from * rowBytes, (to - from) * rowBytes));
  }

  /** The tensor's values, row by row. */
  async read(name: string): Promise<Float32Array> {
    return readAll(this, name);
  }

  private entry(name: string): TensorEntry {
    return this.tensors.get(name) ?? noTensor(this.where, name);
  }
}

/** Opens one .safetensors file. */
export async function openFile(source: Source, path: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readHeader(source, path);
  return new Checkpoint(source, path, tensors, metadata);
}

/** Opens `<folder>/<stem>.safetensors`, or the files of `<folder>/<stem>.safetensors.index.json`. */
export async function openCheckpoint(
  source: Source,
  folder: string,
  stem: string,
): Promise<Checkpoint> {
  const single = `${folder}/${stem}.safetensors`;
  const index = `${single}.index.json`;
  if (await source.has(index)) return openIndex(source, index);
  if (!(await source.has(single))) {
    throw new AppError('not-found', `${single} does not exist.`, 'Choose a diffusers FLUX folder.');
  }
  return openFile(source, single);
}

/** Opens the files beside an index, which says for every tensor which file it is in. */
export async function openIndex(source: Source, index: string): Promise<Checkpoint> {
  const { weight_map: weightMap } = parseObject(await readBytes(source, index), index);
  if (!isObject(weightMap)) throw broken(index, 'weight_map is missing');
  const folder = index.slice(0, index.lastIndexOf('/') + 1);
  const shards = new Map<string, string>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string' || !/^[\w.-]+\.safetensors$/.test(shard)) {
      throw broken(index, `weight_map.${name} does not name a .safetensors file`);
    }
    shards.set(name, shard);
  }
  checkShards(index, shards.values());
  const headers = new Map<string, ReadonlyMap<string, TensorEntry>>();
  for (const shard of new Set(shards.values())) {
    headers.set(shard, (await readHeader(source, folder + shard)).tensors);
  }
  const tensors = new Map<string, TensorEntry>();
  for (const [name, shard] of shards) {
    const entry = headers.get(shard)!.get(name);
    if (!entry) throw broken(index, `weight_map.${name}: ${shard} has no such tensor`);
    tensors.set(name, entry);
  }
  // What the index leaves out counts too, so that nothing in the files goes unnoticed.
  for (const header of headers.values()) {
    for (const [name, entry] of header) if (!tensors.has(name)) tensors.set(name, entry);
  }
  return new Checkpoint(source, index, tensors);
}

/**
 * Opens files that hold one checkpoint together, without an index.
 * @param where what errors name
 */
export async function openShards(
  source: Source,
  where: string,
  files: readonly string[],
): Promise<Checkpoint> {
  const tensors = new Map<string, TensorEntry>();
  for (const file of files) {
    for (const [name, entry] of (await readHeader(source, file)).tensors) {
      const other = tensors.get(name);
      if (other) throw broken(file, `${name} is in ${other.file} too`);
      tensors.set(name, entry);
    }
  }
  return new Checkpoint(source, where, tensors);
}
