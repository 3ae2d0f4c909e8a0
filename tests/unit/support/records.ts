/** What a browser's IndexedDB keeps of models, in memory. */
import type { ModelRecord, RecordStore } from '../../../src/bundle/store/records.ts';

export class MemoryRecords implements RecordStore {
  readonly known = new Map<string, unknown>();

  all(): Promise<unknown[]> {
    return Promise.resolve([...this.known.values()]);
  }

  set(record: ModelRecord): Promise<void> {
    this.known.set(record.id, structuredClone(record));
    return Promise.resolve();
  }

  delete(id: string): Promise<void> {
    this.known.delete(id);
    return Promise.resolve();
  }
}
