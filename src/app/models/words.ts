/** Models, space and memory in words. */
import type { EngineInfo } from '../../workers/engine/api.ts';
import type {
  ImportProgress,
  ImportQuantization,
  ImportSource,
  ModelRecord,
  StorageSpace,
} from '../../workers/library/api.ts';
import { bytesInWords } from '../../shared/bytes.ts';
import { bytesOfBytes, wordList } from '../controls/format.ts';

export const QUANTIZATION_NAMES: Readonly<Record<ImportQuantization, string>> = {
  auto: 'Automatic, by the size of the model',
  int4: '4 bits: the smallest, for large models',
  mixed: '4 and 8 bits: for small models',
  int8: '8 bits: nearly as good as 16',
  f16: '16 bits: as it is, four times the size of 4 bits',
};

const SHORT_NAMES: Readonly<Record<ImportQuantization, string>> = {
  auto: 'automatic',
  int4: '4 bits',
  mixed: '4 and 8 bits',
  int8: '8 bits',
  f16: '16 bits',
};

/** What the record of an import is called; the worker names its records in the same way. */
export function sourceName(source: ImportSource): string {
  switch (source.kind) {
    case 'address':
      return source.address.trim();
    case 'folder':
      return source.folder.name;
    case 'files': {
      const names = source.files.map(pathOf).toSorted();
      const [first = ''] = names;
      return first.includes('/') ? first.slice(0, first.indexOf('/')) : names.join(', ');
    }
  }
}

/** `flux.safetensors, 23.80 GB`; the size of a folder is not known before it is read. */
export function sourceInWords(source: ImportSource): string {
  if (source.kind !== 'files') return sourceName(source);
  const { files } = source;
  const bytes = bytesInWords(files.reduce((sum, { size }) => sum + size, 0));
  const [only] = files;
  if (files.length === 1 && only) return `${pathOf(only)}, ${bytes}`;
  const name = sourceName(source);
  return name.includes(', ')
    ? `${files.length} files, ${bytes}`
    : `${name}: ${files.length} files, ${bytes}`;
}

const pathOf = ({ webkitRelativePath, name }: File): string => webkitRelativePath || name;

/** Where an import can go on without choosing files again. */
export function isAddress(source: string): boolean {
  return /^https?:\/\//.test(source) || /^[\w.-]+\/[\w.-]+(@[^\s@]+)?$/.test(source);
}

export function quantizationOf({ settings }: ModelRecord): ImportQuantization | undefined {
  const { quantization } = settings;
  const known = Object.keys(SHORT_NAMES) as ImportQuantization[];
  return known.find((name) => name === quantization);
}

export interface LoraUse {
  readonly name: string;
  readonly strength: number;
}

/** LoRAs that were merged, or are to be. */
export function lorasOf({ settings }: ModelRecord): LoraUse[] {
  return Object.entries(settings).flatMap(([key, strength]) =>
    key.startsWith('lora ') && typeof strength === 'number' ? { name: key.slice(5), strength } : [],
  );
}

/** `4 bits, with LoRA style.safetensors at 0.8`; nothing for a bundle kept as it came. */
export function settingsInWords(record: ModelRecord): string {
  const quantization = quantizationOf(record);
  const loras = lorasOf(record).map(({ name, strength }) => `${name} at ${strength}`);
  return [
    ...(quantization ? [SHORT_NAMES[quantization]] : []),
    ...(loras.length > 0 ? [`with LoRA ${wordList(loras)}`] : []),
  ].join(', ');
}

/** `1.20 of 6.80 GB`, or how much is done where the whole is not known. */
export function progressInWords({ doneBytes, totalBytes }: ImportProgress): string {
  return totalBytes > 0 ? bytesOfBytes(doneBytes, totalBytes) : '';
}

/** @param space null where the browser keeps no files for this page */
export function spaceInWords(space: StorageSpace | null): string {
  if (!space) {
    return 'This browser keeps no files for this page, so no models can be added. A private window may be the reason.';
  }
  const { used, persisted } = space;
  const kept = persisted
    ? 'The browser promised to keep stored models.'
    : 'The browser may clear stored models when the disk gets full.';
  return used === null ? kept : `This page uses ${bytesInWords(used)} of storage. ${kept}`;
}

export type Residency = EngineInfo['backend']['residency'];
export type ComponentPlan = Residency['components'][number];

/** What becomes of a component, in a few words. */
export function useInWords({ component, use, bytes, reloadedBytes }: ComponentPlan): string {
  const share = reloadedBytes < bytes ? `${bytesInWords(reloadedBytes)} of it ` : '';
  switch (use) {
    case 'resident':
      return 'stays loaded';
    case 'swapped': {
      const when =
        component === 't5' || component === 'clip' ? 'for every new prompt' : 'for every picture';
      return `${share}loaded ${when}`;
    }
    case 'streamed':
      return `${share}loaded at every computed step (slow)`;
    case 'unused':
      return 'not loaded';
  }
}

/** The whole plan in one or two sentences. */
export function residencyInWords({ components, peak }: Residency): string {
  const named = (use: ComponentPlan['use']) =>
    components.filter((plan) => plan.use === use).map(({ words }) => words);
  const swapped = named('swapped');
  const streamed = named('streamed');
  const most = `Takes up to ${bytesInWords(peak)} of memory.`;
  if (swapped.length + streamed.length === 0) return `${most} All of the model stays loaded.`;
  return [
    most,
    ...(swapped.length > 0 ? [`Loaded again for pictures: ${wordList(swapped)}.`] : []),
    ...(streamed.length > 0
      ? [`Loaded again at every computed step, which is slow: ${wordList(streamed)}.`]
      : []),
  ].join(' ');
}
