/** Named tensors of one model part, however the files name and store them. */
import { AppError } from '../../shared/errors.ts';

export interface TensorSource {
  /** The file or index that errors name. */
  readonly where: string;
  names(): Iterable<string>;
  has(name: string): boolean;
  /** @throws AppError `bad-checkpoint` if there is no such tensor; `[]` for a single number. */
  shape(name: string): readonly number[];
  /** Bytes that the tensor takes where it is stored. */
  storedBytes(name: string): number;
  /**
   * The tensors of the file that this one is made of, by their names there; its own name if left
   * out.
   */
  origins?(name: string): readonly string[];
  /**
   * Rows `from` to `to` (exclusive) of the first axis, row by row as float32. A single number is
   * one row. Nothing beyond these rows is read.
   * @throws AppError `bad-checkpoint` if there is no such tensor or its numbers cannot be read.
   */
  rows(name: string, from: number, to: number): Promise<Float32Array>;
}

/** What to do where weights are not what their configuration or their own names promise. */
export const MISMATCH =
  'Download the file again. If a config.json lies beside it, take both from the same model.';

/** Numbers that are held at once of a tensor that is read in pieces: 32 MiB as float32. */
const CHUNK = 2 ** 23;

/** Length of the first axis; 1 for a single number. */
export function rowCount(shape: readonly number[]): number {
  return shape[0] ?? 1;
}

/** The tensors of the file that a tensor is made of, by their names there. */
export function originsOf(tensors: TensorSource, name: string): readonly string[] {
  return tensors.origins?.(name) ?? [name];
}

/** The whole tensor. For small ones: matrices are read by `rowChunks`. */
export function readAll(tensors: TensorSource, name: string): Promise<Float32Array> {
  return tensors.rows(name, 0, rowCount(tensors.shape(name)));
}

export interface RowChunk {
  /** First row, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly values: Float32Array;
}

/** A tensor from its first row to its last, so many rows at a time as `numbers` allow, at least one. */
export async function* rowChunks(
  tensors: TensorSource,
  name: string,
  numbers = CHUNK,
): AsyncGenerator<RowChunk> {
  const shape = tensors.shape(name);
  const rows = rowCount(shape);
  const width = shape.slice(1).reduce((product, size) => product * size, 1);
  const atOnce = Math.max(1, Math.floor(numbers / Math.max(1, width)));
  for (let from = 0; from < rows; from += atOnce) {
    const to = Math.min(rows, from + atOnce);
    yield { from, to, values: await tensors.rows(name, from, to) };
  }
}

/** @throws AppError `bad-checkpoint` unless there is such a tensor, of that shape. */
export function expectShape(tensors: TensorSource, name: string, shape: readonly number[]): void {
  const found = tensors.shape(name);
  if (found.join() === shape.join()) return;
  throw new AppError(
    'bad-checkpoint',
    `${tensors.where}: ${name} has shape [${found.join(', ')}], expected [${shape.join(', ')}].`,
    MISMATCH,
  );
}

/** @throws AppError `bad-checkpoint`, always. */
export function noTensor(where: string, name: string): never {
  throw new AppError('bad-checkpoint', `${where}: there is no tensor ${name}.`, MISMATCH);
}
