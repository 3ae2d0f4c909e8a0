/**
 * The header of a safetensors file: eight bytes of length, then JSON. Nothing in it is trusted
 * before it has been checked against the file's size, and nothing is allocated by it.
 */
import { AppError } from '../../shared/errors.ts';
import { ELEMENT_BYTES } from './elements.ts';
import type { Source } from '../files.ts';
import { refuseOtherFormat } from './layouts/formats.ts';

const LARGEST_HEADER = 100 * 2 ** 20;
const MOST_TENSORS = 100_000;
const HIGHEST_RANK = 8;
/** Bytes that show what a file is that is not safetensors. */
const BEGINNING = 64;
const HINT = 'Check that the file was downloaded or saved completely.';

export interface TensorEntry {
  readonly file: string;
  readonly element: string;
  readonly shape: readonly number[];
  /** Position in the file and length, in bytes. */
  readonly offset: number;
  readonly bytes: number;
}

export interface Header {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** What the file says of itself, in any words. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** @throws AppError `bad-checkpoint` that names the file and the field, `not-found` */
export async function readHeader(source: Source, file: string): Promise<Header> {
  const size = await source.size(file);
  if (size < 8) {
    refuseOtherFormat(file, await source.read(file, 0, size));
    throw broken(file, 'it is too short for a header');
  }
  const prefix = await source.read(file, 0, 8);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true));
  if (length > LARGEST_HEADER || 8 + length > size) {
    refuseOtherFormat(file, await source.read(file, 0, Math.min(size, BEGINNING)));
    throw broken(file, `the header's length, ${length} bytes, does not fit the file`);
  }
  const fields = Object.entries(parseObject(await source.read(file, 8, length), file));
  if (fields.length > MOST_TENSORS) throw broken(file, `the header lists ${fields.length} tensors`);
  const tensors = new Map<string, TensorEntry>();
  let metadata = new Map<string, string>();
  for (const [name, value] of fields) {
    if (name === '__metadata__') metadata = readMetadata(file, value);
    else tensors.set(name, readEntry(file, name, value, 8 + length, size));
  }
  checkOverlaps(file, tensors);
  return { tensors, metadata };
}

function readMetadata(file: string, value: unknown): Map<string, string> {
  if (!isObject(value)) throw broken(file, '__metadata__ is not an object');
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === 'string') metadata.set(key, text);
  }
  return metadata;
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
  if (shape.length > HIGHEST_RANK) throw broken(file, `${name}.shape has ${shape.length} axes`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw broken(file, `${name}.data_offsets is not a pair of positions`);
  }
  const [begin, end] = offsets as [number, number];
  if (end < begin || end > fileSize - dataStart) {
    throw broken(file, `${name}.data_offsets [${begin}, ${end}] lies outside the file`);
  }
  const bytes = end - begin;
  let numbers = 1;
  for (const size of shape) {
    numbers *= size;
    if (!Number.isSafeInteger(numbers)) throw broken(file, `${name}.shape is too large`);
  }
  if (Object.hasOwn(ELEMENT_BYTES, dtype) && numbers * ELEMENT_BYTES[dtype]! !== bytes) {
    throw broken(file, `${name}: shape [${shape.join(', ')}] of ${dtype} is not ${bytes} bytes`);
  }
  return { file, element: dtype, shape, offset: dataStart + begin, bytes };
}

function checkOverlaps(file: string, tensors: ReadonlyMap<string, TensorEntry>): void {
  const inOrder = [...tensors]
    .filter(([, { bytes }]) => bytes > 0)
    .sort(([, one], [, other]) => one.offset - other.offset);
  for (const [i, [name, { offset }]] of inOrder.entries()) {
    const before = inOrder[i - 1];
    if (before && before[1].offset + before[1].bytes > offset) {
      throw broken(file, `${before[0]} and ${name} overlap`);
    }
  }
}

export function broken(file: string, what: string): AppError {
  return new AppError('bad-checkpoint', `${file}: ${what}.`, HINT);
}

/** @throws AppError `bad-checkpoint` unless the bytes are the text of a JSON object. */
export function parseObject(bytes: Uint8Array, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AppError('bad-checkpoint', `${file}: it holds no JSON.`, HINT, { cause });
  }
  if (!isObject(value)) throw broken(file, 'it holds no JSON object');
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
