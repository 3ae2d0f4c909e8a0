/**
 * What a conversion has finished, so that it goes on there after it was stopped at any moment: a
 * file of lines in the bundle's folder, each for a state in which everything before it is safely
 * written. A line that was cut short counts for nothing.
 */
import * as v from 'valibot';
import type { WritableFolder } from '../../bundle/folder.ts';

export const JOURNAL = 'conversion.journal';

const size = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

/** A tensor in a data file (builder.ts has its meaning). */
const tensor = v.object({
  name: v.string(),
  type: v.picklist(['float32', 'float16', 'int32', 'int64', 'uint8']),
  shape: v.array(size),
  location: v.string(),
  offset: size,
  bytes: size,
});

/** One weight of the checkpoint, written as one or more tensors. */
const unit = v.object({
  key: v.string(),
  tensors: v.array(tensor),
  /** Sums over the weight's numbers: of squared errors, and of squares. */
  error: v.optional(v.object({ squaredError: v.number(), squaredNorm: v.number() })),
});

/** Units that a data file has got since the line before. */
const line = v.object({
  file: v.pipe(v.string(), v.regex(/^\w[\w.]*\.data$/)),
  units: v.array(unit),
  /** Length of the file with them, and its hashes. */
  bytes: size,
  sha256: v.string(),
});

const header = v.object({
  format: v.literal('hicache-conversion'),
  version: v.literal(1),
  /** Of the source and the settings; with others the conversion begins anew. */
  of: v.string(),
});

export type Unit = v.InferOutput<typeof unit>;
export type Line = v.InferOutput<typeof line>;

/** The largest journal that is read: of a conversion of thousands of tensors it has a few MB. */
const MOST_BYTES = 256 * 2 ** 20;

export interface Journal {
  /** Digest of the source and the settings. */
  readonly of: string;
  /** All before the first that is damaged. */
  readonly lines: readonly Line[];
}

/** The folder's journal, if there is one. */
export async function readJournal(folder: WritableFolder): Promise<Journal | undefined> {
  const bytes = await folder.size(JOURNAL);
  if (bytes === 0 || bytes > MOST_BYTES) return undefined;
  const text = new TextDecoder().decode(await folder.read(JOURNAL, 0, bytes));
  // What follows the last line break was cut short.
  const [first, ...rest] = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  const found = v.safeParse(header, parse(first ?? ''));
  if (!found.success) return undefined;
  const lines: Line[] = [];
  for (const one of rest) {
    const result = v.safeParse(line, parse(one));
    if (!result.success) break;
    lines.push(result.output);
  }
  return { of: found.output.of, lines };
}

/** Begins the journal anew with the lines that still hold. */
export async function writeJournal(
  folder: WritableFolder,
  of: string,
  lines: readonly Line[],
): Promise<void> {
  const first = { format: 'hicache-conversion', version: 1, of } satisfies v.InferOutput<
    typeof header
  >;
  await folder.truncate(JOURNAL, 0);
  await folder.append(JOURNAL, encode([first, ...lines]));
  await folder.flush();
}

/** Adds a line, once what it speaks of is safely written. */
export async function appendLine(folder: WritableFolder, added: Line): Promise<void> {
  await folder.flush();
  await folder.append(JOURNAL, encode([added]));
  await folder.flush();
}

function encode(values: readonly unknown[]): Uint8Array {
  return new TextEncoder().encode(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
