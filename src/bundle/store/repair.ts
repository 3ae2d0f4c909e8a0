/** Brings records and folders together again, after a crash between the two. */
import { AppError } from '../../shared/errors.ts';
import type { Manifest } from '../manifest.ts';
import { isModelId } from './ids.ts';
import type { OpfsFolder } from './opfs.ts';
import { ifRoom, type ModelRecord, readRecords, type RecordStore } from './records.ts';
import { openStoredBundle } from './stored-bundle.ts';

/**
 * Folders decide: a record without one is dropped, a folder without one gets it, and a model is
 * complete if all of its files are there.
 */
export async function repair(models: OpfsFolder, records: RecordStore): Promise<void> {
  const known = await readRecords(records);
  const found = new Set<string>();
  for await (const [id, folder] of models.entries()) {
    if (folder.kind !== 'directory' || !isModelId(id)) continue;
    found.add(id);
    const before = known.get(id);
    const record = await settled(folder, before ?? unknownModel(id));
    if (!before || before.state !== record.state) await ifRoom(records.set(record));
  }
  for (const id of known.keys()) if (!found.has(id)) await ifRoom(records.delete(id));
}

/** The record as the folder says it should be. */
export async function settled(folder: OpfsFolder, record: ModelRecord): Promise<ModelRecord> {
  const manifest = await completeManifest(folder);
  if (!manifest) return { ...record, state: 'partial' };
  const { title, licence, files } = manifest;
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  return {
    ...record,
    title,
    licence,
    source: record.source || manifest.source,
    bytes,
    state: 'complete',
  };
}

/** Undefined unless all files are there. */
async function completeManifest(folder: OpfsFolder): Promise<Manifest | undefined> {
  try {
    return (await openStoredBundle(folder)).manifest;
  } catch (cause) {
    if (cause instanceof AppError) return undefined;
    throw cause;
  }
}

function unknownModel(id: string): ModelRecord {
  const date = new Date().toISOString();
  return { id, title: id, licence: '', source: '', bytes: 0, date, state: 'partial', settings: {} };
}
