/** Brings a model into the store: a bundle as it is, a checkpoint converted. */
import { downloadBundle } from '../../bundle/download/download.ts';
import { MANIFEST } from '../../bundle/manifest.ts';
import type { ModelStore } from '../../bundle/store/store.ts';
import type { ModelRecord } from '../../bundle/store/records.ts';
import { convert } from '../../convert/convert.ts';
import { estimatedBytes } from '../../convert/write/estimate.ts';
import type { Source } from '../../convert/files.ts';
import { isWeightFile } from '../../convert/checkpoint/layouts/formats.ts';
import { openLoraFile } from '../../convert/checkpoint/lora-file.ts';
import { modelWithLoras } from '../../convert/checkpoint/lora.ts';
import type { ModelParts } from '../../convert/checkpoint/model-parts.ts';
import { openModel } from '../../convert/checkpoint/open-model.ts';
import type { Quantizer } from '../../convert/quantize/quantizer.ts';
import { sourceAt } from '../../convert/sources/address.ts';
import { pickedFiles, pickedFolder } from '../../convert/sources/picked.ts';
import { usualQuantization } from '../../convert/quantize/usual-quantization.ts';
import type {
  ImportLora,
  ImportProgress,
  ImportRequest,
  ImportResult,
  ImportSource,
} from './api.ts';
import { withTimeLeft } from './progress.ts';

export interface ImportControl {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImportProgress) => void;
  /** What quantizes here; called only for a checkpoint. The import disposes of it. */
  readonly quantizer: () => Promise<Quantizer>;
}

/**
 * What is there already of the same source and settings counts.
 *
 * @throws AppError `cancelled` after the signal, `out-of-storage` before it begins or on the way,
 * `busy`, and what sources, conversions and downloads throw. What was done is kept.
 */
export async function importModel(
  store: ModelStore,
  request: ImportRequest,
  control: ImportControl,
): Promise<ImportResult> {
  const bundle = await bundleAddress(request.source, control);
  if (bundle !== undefined) {
    return { record: await importBundle(store, bundle, control), notes: [] };
  }
  const source = await openSource(request.source, control);
  control.onProgress(progressOf('Reading the headers'));
  return importCheckpoint(store, source, request, control);
}

/** The folder of a bundle, if the address is that of one. */
async function bundleAddress(
  source: ImportSource,
  { signal }: ImportControl,
): Promise<string | undefined> {
  if (source.kind !== 'address') return undefined;
  const address = source.address.trim();
  if (!/^https?:\/\//.test(address)) return undefined;
  const folder = address.replace(/manifest\.json$/, '');
  if (isWeightFile(folder)) return undefined;
  return (await sourceAt(folder, { ...tokenOf(source), signal }).has(MANIFEST))
    ? folder
    : undefined;
}

async function openSource(source: ImportSource, { signal }: ImportControl): Promise<Source> {
  switch (source.kind) {
    case 'files':
      return pickedFiles(source.files);
    case 'folder':
      return pickedFolder(source.folder);
    case 'address':
      return sourceAt(source.address, { ...tokenOf(source), signal });
  }
}

async function importBundle(
  store: ModelStore,
  address: string,
  { signal, onProgress }: ImportControl,
): Promise<ModelRecord> {
  const report = withTimeLeft('Downloading', onProgress);
  const draft = { title: address, licence: '', source: address, settings: {} };
  const { id, folder, reserve } = await store.begin(draft);
  try {
    await downloadBundle(address, folder, {
      signal,
      reserve,
      onProgress: ({ what, loadedBytes, totalBytes }) => report(what, loadedBytes, totalBytes),
    });
  } finally {
    await folder.close();
  }
  return store.finish(id);
}

async function importCheckpoint(
  store: ModelStore,
  source: Source,
  { source: asked, quantization: wanted, loras }: ImportRequest,
  { signal, onProgress, quantizer: open }: ImportControl,
): Promise<ImportResult> {
  const model = await merged(await openModel(source), loras);
  const quantization = wanted === 'auto' ? usualQuantization(model.configs.flux) : wanted;
  const { title, licence } = model.description;
  const settings = {
    quantization,
    ...Object.fromEntries(loras.map(({ file, strength }) => [`lora ${file.name}`, strength])),
  };
  const draft = { title, licence, source: nameOf(asked), settings };
  const { id, folder, reserve } = await store.begin(draft);
  const report = withTimeLeft('Converting', onProgress);
  let notes: readonly string[];
  try {
    await reserve(estimatedBytes(model, quantization) - (await bytesOf(store, id)));
    const quantizer = await open();
    try {
      ({ notes } = await convert(model, folder, {
        quantization,
        quantizer,
        signal,
        onProgress: ({ what, readBytes, totalBytes }) => report(what, readBytes, totalBytes),
      }));
    } finally {
      quantizer.dispose();
    }
  } finally {
    await folder.close();
  }
  return { record: await store.finish(id), notes };
}

async function merged(model: ModelParts, loras: readonly ImportLora[]): Promise<ModelParts> {
  if (loras.length === 0) return model;
  const opened = [];
  for (const { file, strength } of loras) {
    opened.push(await openLoraFile(pickedFiles([file]), file.name, strength));
  }
  return modelWithLoras(model, opened);
}

/** What tells one source from another: the same files or the same address go on with an import. */
function nameOf(source: ImportSource): string {
  switch (source.kind) {
    case 'files': {
      const names = source.files.map(({ webkitRelativePath, name }) => webkitRelativePath || name);
      const [first = ''] = names.toSorted();
      const top = first.includes('/') ? first.slice(0, first.indexOf('/')) : undefined;
      return top ?? names.toSorted().join(', ');
    }
    case 'folder':
      return source.folder.name;
    case 'address':
      return source.address.trim();
  }
}

async function bytesOf(store: ModelStore, id: string): Promise<number> {
  return (await store.list()).find((record) => record.id === id)?.bytes ?? 0;
}

function tokenOf({ token }: { readonly token?: string }): { token?: string } {
  return token === undefined || token === '' ? {} : { token };
}

function progressOf(what: string): ImportProgress {
  return { what, doneBytes: 0, totalBytes: 0, secondsLeft: null };
}
