/** What is known of each stored model, beside its files. */
import { createStore, del, set, values } from 'idb-keyval';
import * as v from 'valibot';
import { isOutOfStorage } from './room.ts';

const record = v.object({
  id: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,100}$/)),
  title: v.string(),
  licence: v.string(),
  /** Where it comes from: an address, or the names of files. */
  source: v.string(),
  /** Bytes that it takes; of a partial one at the moment of asking. */
  bytes: v.number(),
  /** When it was begun, as ISO 8601 says. */
  date: v.string(),
  state: v.picklist(['complete', 'partial']),
  /** What it was made with, such as its quantization. */
  settings: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
});

export type ModelRecord = Readonly<v.InferOutput<typeof record>>;
export type ModelSettings = ModelRecord['settings'];

/** Where records are kept, each under its id. */
export interface RecordStore {
  all(): Promise<readonly unknown[]>;
  set(record: ModelRecord): Promise<void>;
  delete(id: string): Promise<void>;
}

/** In this site's IndexedDB. */
export function browserRecords(): RecordStore {
  const store = createStore('hicache-models', 'records');
  return {
    all: () => values<unknown>(store),
    set: (record) => set(record.id, record, store),
    delete: (id) => del(id, store),
  };
}

/** By id; what another version of this page wrote differently is left out. */
export async function readRecords(records: RecordStore): Promise<Map<string, ModelRecord>> {
  const known = new Map<string, ModelRecord>();
  for (const value of await records.all()) {
    const result = v.safeParse(record, value);
    if (result.success) known.set(result.output.id, result.output);
  }
  return known;
}

/**
 * Writes a record down, or takes it away, if there is room for that: a full storage may refuse even
 * this, and must not keep anybody from removing a model. What a folder holds decides (repair.ts).
 */
export async function ifRoom(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (cause) {
    if (!isOutOfStorage(cause)) throw cause;
  }
}
