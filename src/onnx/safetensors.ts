/**
 * Reads safetensors weights tensor by tensor: one file, or several with an index. Nothing in
 * a header is trusted before it has been checked against the file's size.
 * Format: eight bytes header length, JSON header, then the tensors' bytes.
 */
import { AppError } from '../errors.ts';
import { readText, type Source } from './files.ts';
import { brainFloatsToFloats, halvesToFloats } from '../half.ts';

const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
type ElementName = keyof typeof ELEMENT_BYTES;

const LARGEST_HEADER = 100 * 2 ** 20;
const HINT = 'Check that the file was downloaded or saved completely.';

export interface TensorEntry {
  readonly file: string;
  readonly element: string;
  readonly shape: readonly number[];
  /** Position in the file and length, in bytes. */
  readonly offset: number;
  readonly bytes: number;
}

/** The tensors of one model part, by their names. */
export class Checkpoint {
  constructor(
    private readonly source: Source,
    private readonly where: string,
    readonly tensors: ReadonlyMap<string, TensorEntry>,
  ) {}

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  /** Throws `bad-checkpoint` unless there is such a tensor, of that shape. */
  expectShape(name: string, shape: readonly number[]): void {
    const entry = this.entry(name);
    if (entry.shape.join() !== shape.join()) {
      throw new AppError(
        'bad-checkpoint',
        `${entry.file}: ${name} has shape [${entry.shape.join(', ')}], expected [${shape.join(', ')}].`,
        'The weights do not belong to the config.json beside them.',
      );
    }
  }

  /** The tensor's values, row by row. */
  async read(name: string): Promise<Float32Array> {
    const entry = this.entry(name);
    if (!isElementName(entry.element)) {
      throw new AppError(
        'bad-checkpoint',
        `${entry.file}: ${name} is stored as ${entry.element}; only F32, F16 and BF16 can be read.`,
        'Save the weights in one of those types.',
      );
    }
    // A copy, because typed arrays need their bytes aligned.
    const bytes = (await this.source.read(entry.file, entry.offset, entry.bytes)).slice();
    if (entry.element === 'F32') return new Float32Array(bytes.buffer);
    const halves = new Uint16Array(bytes.buffer);
    return entry.element === 'F16' ? halvesToFloats(halves) : brainFloatsToFloats(halves);
  }

  private entry(name: string): TensorEntry {
    const entry = this.tensors.get(name);
    if (!entry) {
      throw new AppError(
        'bad-checkpoint',
        `${this.where}: there is no tensor ${name}.`,
        'The weights do not belong to the config.json beside them.',
      );
    }
    return entry;
  }
}

/** Opens `<folder>/<stem>.safetensors`, or the files of `<folder>/<stem>.safetensors.index.json`. */
export async function openCheckpoint(
  source: Source,
  folder: string,
  stem: string,
): Promise<Checkpoint> {
  const single = `${folder}/${stem}.safetensors`;
  const index = `${single}.index.json`;
  if (await source.has(index)) {
    const tensors = await readShards(source, folder, index);
    return new Checkpoint(source, index, tensors);
  }
  if (!(await source.has(single))) {
    throw new AppError('not-found', `${single} does not exist.`, 'Choose a diffusers FLUX folder.');
  }
  return new Checkpoint(source, single, await readHeader(source, single));
}

async function readShards(
  source: Source,
  folder: string,
  index: string,
): Promise<Map<string, TensorEntry>> {
  const weightMap = (parseObject(await readText(source, index), index) as { weight_map?: unknown })
    .weight_map;
  if (!isObject(weightMap)) throw broken(index, 'weight_map is missing');
  const headers = new Map<string, Map<string, TensorEntry>>();
  const tensors = new Map<string, TensorEntry>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string' || !/^[\w.-]+\.safetensors$/.test(shard)) {
      throw broken(index, `weight_map.${name} does not name a .safetensors file`);
    }
    const file = `${folder}/${shard}`;
    const header = headers.get(file) ?? (await readHeader(source, file));
    headers.set(file, header);
    const entry = header.get(name);
    if (!entry) throw broken(index, `weight_map.${name}: ${shard} has no such tensor`);
    tensors.set(name, entry);
  }
  return tensors;
}

async function readHeader(source: Source, file: string): Promise<Map<string, TensorEntry>> {
  const size = await source.size(file);
  if (size < 8) throw broken(file, 'it is too short for a header');
  const prefix = await source.read(file, 0, 8);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true));
  if (length > LARGEST_HEADER || 8 + length > size) {
    throw broken(file, `the header's length, ${length} bytes, does not fit the file`);
  }
  const text = new TextDecoder().decode(await source.read(file, 8, length));
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(parseObject(text, file))) {
    if (name !== '__metadata__') tensors.set(name, readEntry(file, name, value, 8 + length, size));
  }
  return tensors;
}

function readEntry(
  file: string,
  name: string,
  value: unknown,
  dataStart: number,
  fileSize: number,
): TensorEntry {
  if (!isObject(value)) throw broken(file, `${name} is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw broken(file, `${name}.dtype is missing`);
  if (!isSizes(shape)) throw broken(file, `${name}.shape is not a list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw broken(file, `${name}.data_offsets is not a pair of positions`);
  }
  const [begin, end] = offsets as [number, number];
  if (end < begin || dataStart + end > fileSize) {
    throw broken(file, `${name}.data_offsets [${begin}, ${end}] lies outside the file`);
  }
  const bytes = end - begin;
  const elements = shape.reduce((product, size) => product * size, 1);
  if (isElementName(dtype) && elements * ELEMENT_BYTES[dtype] !== bytes) {
    throw broken(file, `${name}: shape [${shape.join(', ')}] of ${dtype} is not ${bytes} bytes`);
  }
  return { file, element: dtype, shape, offset: dataStart + begin, bytes };
}

function broken(file: string, what: string): AppError {
  return new AppError('bad-checkpoint', `${file}: ${what}.`, HINT);
}

function parseObject(text: string, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('bad-checkpoint', `${file}: the header is not JSON.`, HINT, { cause });
  }
  if (!isObject(value)) throw broken(file, 'the header is not a JSON object');
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isElementName(name: string): name is ElementName {
  return Object.hasOwn(ELEMENT_BYTES, name);
}
