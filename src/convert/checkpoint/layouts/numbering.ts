/** Blocks are counted by their numbers, so a gap would shorten a model in silence. */
import { AppError } from '../../../shared/errors.ts';
import { MISMATCH, type TensorSource } from '../tensors.ts';

/** Scales of quantized weights may stand beside some of them only. */
const PARAMETER = /(?:^|\.)(?:weight|bias|scale)$/;

/** Names of tensors in a list of blocks; the groups are the list and the block's number. */
export type NumberedList = RegExp;

/**
 * @param uniform lists whose blocks all have the same tensors, but for those that `uneven` matches
 * @throws AppError `bad-checkpoint` that names the first block or tensor that is missing
 */
export function checkNumbering(
  tensors: TensorSource,
  { lists, uniform = [], uneven }: Numbering,
): void {
  for (const [list, blocks] of blocksOf(tensors, [...lists, ...uniform])) {
    const last = Math.max(...blocks.keys());
    for (let i = 0; i < last; i++) {
      if (!blocks.has(i))
        throw incomplete(tensors, `${list}.${i} is missing, but ${list}.${last} is there`);
    }
  }
  for (const [list, blocks] of blocksOf(tensors, uniform)) {
    for (const name of expectedIn(blocks)) {
      if (uneven?.test(name)) continue;
      const lacking = [...blocks].find(([, names]) => !names.has(name));
      if (!lacking) continue;
      throw incomplete(
        tensors,
        `${list}.${lacking[0]}.${name} is missing, but other blocks have it`,
      );
    }
  }
}

/** Names that most blocks have. What few have is one too many there, not missing elsewhere. */
function* expectedIn(blocks: Blocks): Generator<string> {
  const counts = new Map<string, number>();
  for (const names of blocks.values()) {
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, count] of counts) {
    if (PARAMETER.test(name) && 2 * count > blocks.size) yield name;
  }
}

export interface Numbering {
  readonly lists: readonly NumberedList[];
  readonly uniform?: readonly NumberedList[];
  readonly uneven?: RegExp;
}

type Blocks = ReadonlyMap<number, ReadonlySet<string>>;

/** By list, the names in each of its blocks. */
function blocksOf(
  tensors: TensorSource,
  lists: readonly NumberedList[],
): ReadonlyMap<string, Blocks> {
  const found = new Map<string, Map<number, Set<string>>>();
  for (const name of tensors.names()) {
    for (const pattern of lists) {
      const match = pattern.exec(name);
      if (!match) continue;
      const list = match[1]!;
      const number = Number(match[2]);
      const blocks = found.get(list) ?? new Map<number, Set<string>>();
      const names = blocks.get(number) ?? new Set<string>();
      found.set(list, blocks.set(number, names.add(name.slice(match[0].length))));
    }
  }
  return found;
}

function incomplete({ where }: TensorSource, what: string): AppError {
  return new AppError('bad-checkpoint', `${where}: ${what}.`, MISMATCH);
}
