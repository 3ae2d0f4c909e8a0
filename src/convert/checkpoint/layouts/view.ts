/** Tensors under other names than they are stored by: whole, in parts, or with parts in another order. */
import { noTensor, originsOf, rowCount, type TensorSource } from '../tensors.ts';

/** Rows `from` to `to` (exclusive) of a stored tensor. */
export interface Piece {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** One tensor: rows of stored ones, one piece after another, in a shape of as many numbers. */
export interface Place {
  readonly pieces: readonly Piece[];
  readonly shape: readonly number[];
}

/** All of a stored tensor, perhaps with axes of length 1 left out. */
export function whole(
  tensors: TensorSource,
  name: string,
  shape: readonly number[] = tensors.shape(name),
): Place {
  return { pieces: [{ name, from: 0, to: rowCount(tensors.shape(name)) }], shape };
}

/** Some rows of a stored tensor, in the order of `ranges`. */
export function rowsOf(
  tensors: TensorSource,
  name: string,
  ranges: readonly (readonly [from: number, to: number])[],
): Place {
  const rows = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  return {
    pieces: ranges.map(([from, to]) => ({ name, from, to })),
    shape: [rows, ...tensors.shape(name).slice(1)],
  };
}

/** Rows `from` to `to` of what lies at a place. */
export async function rowsAt(
  tensors: TensorSource,
  place: Place,
  from: number,
  to: number,
): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  let before = 0;
  for (const piece of place.pieces) {
    const begin = Math.max(from - before, 0);
    const end = Math.min(to - before, piece.to - piece.from);
    if (begin < end) {
      parts.push(await tensors.rows(piece.name, piece.from + begin, piece.from + end));
    }
    before += piece.to - piece.from;
  }
  return parts.length === 1 ? parts[0]! : joined(parts);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const part of parts) {
    all.set(part, filled);
    filled += part.length;
  }
  return all;
}

export class View implements TensorSource {
  constructor(
    private readonly stored: TensorSource,
    private readonly places: ReadonlyMap<string, Place>,
  ) {}

  get where(): string {
    return this.stored.where;
  }

  names(): Iterable<string> {
    return this.places.keys();
  }

  has(name: string): boolean {
    return this.places.has(name);
  }

  shape(name: string): readonly number[] {
    return this.place(name).shape;
  }

  storedBytes(name: string): number {
    return this.place(name).pieces.reduce((sum, piece) => {
      const rows = rowCount(this.stored.shape(piece.name));
      const share = rows === 0 ? 0 : (piece.to - piece.from) / rows;
      return sum + this.stored.storedBytes(piece.name) * share;
    }, 0);
  }

  origins(name: string): readonly string[] {
    const names = this.place(name).pieces.flatMap((piece) => originsOf(this.stored, piece.name));
    return [...new Set(names)];
  }

  async rows(name: string, from: number, to: number): Promise<Float32Array> {
    return rowsAt(this.stored, this.place(name), from, to);
  }

  private place(name: string): Place {
    return this.places.get(name) ?? noTensor(this.where, name);
  }
}

/** Those tensors that `rename` gives a name. */
export function renamed(tensors: TensorSource, rename: (name: string) => string | undefined): View {
  const places = new Map<string, Place>();
  for (const name of tensors.names()) {
    const presented = rename(name);
    if (presented !== undefined) places.set(presented, whole(tensors, name));
  }
  return new View(tensors, places);
}

/** Those tensors whose names begin with `prefix`, without it. */
export function below(tensors: TensorSource, prefix: string): TensorSource {
  if (prefix === '') return tensors;
  return renamed(tensors, (name) =>
    name.startsWith(prefix) ? name.slice(prefix.length) : undefined,
  );
}

/** How many modules `<list>.0`, `<list>.1`, … there are. */
export function countModules(tensors: TensorSource, list: string): number {
  const indices = new Set<string>();
  for (const name of tensors.names()) {
    if (name.startsWith(`${list}.`)) indices.add(name.slice(list.length + 1).split('.', 1)[0]!);
  }
  let count = 0;
  while (indices.has(String(count))) count++;
  return count;
}
