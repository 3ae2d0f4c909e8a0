/** Weights in several files: `NAME-00001-of-00003.safetensors`, usually with an index beside them. */
import { AppError } from '../../../shared/errors.ts';

const SHARD = /^(?<stem>.*)-(?<number>\d+)-of-(?<count>\d+)(?<variant>\.\w+)?\.safetensors$/;
const INDEX = /^(?<stem>.*)\.safetensors\.index(?:\.\w+)?\.json$/;

/** Far more than anybody has: what a name claims is not trusted. */
const MOST_SHARDS = 1000;

/** Files that may hold parts: single files, indices, and the first of shards without an index. */
export function looseWeights(files: ReadonlySet<string>): string[] {
  const paths = [...files];
  const indexed = paths.flatMap((path) => INDEX.exec(path)?.groups?.['stem'] ?? []);
  const seen = new Set<string>();
  return paths.filter((path) => {
    if (INDEX.test(path)) return true;
    if (!path.endsWith('.safetensors')) return false;
    const all = namesOf(path);
    if (!all) return true;
    // `model.fp16-00001-of-00002` belongs to the index `model.safetensors.index.fp16.json`.
    const first = all[0]!;
    if (seen.has(first) || indexed.some((stem) => path.startsWith(stem))) return false;
    seen.add(first);
    return true;
  });
}

/**
 * All files of the shards that `path` is one of; nothing for a single file.
 * @throws AppError `bad-checkpoint` that names the first that is missing
 */
export function shardsOf(files: ReadonlySet<string>, path: string): readonly string[] | undefined {
  const all = namesOf(path);
  const missing = all?.find((shard) => !files.has(shard));
  if (missing === undefined) return all;
  throw new AppError(
    'bad-checkpoint',
    `${missing} is missing, but ${path} is there.`,
    'Choose all files of these weights; download those that are missing.',
  );
}

/**
 * @param shards files that an index names
 * @throws AppError `bad-checkpoint` if one of a series is not among them
 */
export function checkShards(index: string, shards: Iterable<string>): void {
  const named = new Set(shards);
  for (const shard of named) {
    const missing = namesOf(shard)?.find((name) => !named.has(name));
    if (missing === undefined) continue;
    throw new AppError(
      'bad-checkpoint',
      `${index}: weight_map names ${shard}, but never ${missing}.`,
      'Download the index again, and all files that it names.',
    );
  }
}

/** The whole series that a shard is one of. */
function namesOf(path: string): readonly string[] | undefined {
  const { stem, number, count, variant = '' } = SHARD.exec(path)?.groups ?? {};
  if (stem === undefined || number === undefined || count === undefined) return undefined;
  const length = Math.min(Number(count), MOST_SHARDS);
  return Array.from({ length }, (_, i) => {
    return `${stem}-${String(i + 1).padStart(number.length, '0')}-of-${count}${variant}.safetensors`;
  });
}
