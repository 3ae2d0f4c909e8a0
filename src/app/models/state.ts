/** What the page knows of stored models and of the import that runs. Written by actions.ts. */
import { computed, signal } from '@preact/signals';
import type { ErrorReport } from '../../shared/errors.ts';
import type {
  ImportLora,
  ImportProgress,
  ImportQuantization,
  ImportSource,
  Library,
  ModelRecord,
} from '../../workers/library/api.ts';
import { sourceName } from './words.ts';

/** Whether the dialog is on show. */
export const open = signal(false);

/** Undefined until it was asked for. */
export const library = signal<Library | undefined>(undefined);
/** What went wrong with a stored model or the list of them. */
export const problem = signal<ErrorReport | undefined>(undefined);
/** The last thing worth telling to somebody who cannot see the dialog change. */
export const announcement = signal('');

export type PickedSource = Exclude<ImportSource, { kind: 'address' }>;

/** The form for a new model. The token lives here only, and goes when the model is there. */
export interface Draft {
  readonly from: 'computer' | 'web';
  readonly picked: PickedSource | undefined;
  readonly address: string;
  readonly token: string;
  readonly quantization: ImportQuantization;
  readonly loras: readonly ImportLora[];
}

export const EMPTY_DRAFT: Draft = {
  from: 'computer',
  picked: undefined,
  address: '',
  token: '',
  quantization: 'auto',
  loras: [],
};

export const draft = signal<Draft>(EMPTY_DRAFT);

/** The import that runs. */
export interface Importing {
  readonly source: ImportSource;
  readonly progress: ImportProgress | undefined;
  readonly cancelling: boolean;
}

export const importing = signal<Importing | undefined>(undefined);

/** How the last import ended. */
export type Outcome =
  | { readonly kind: 'done'; readonly record: ModelRecord; readonly notes: readonly string[] }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly report: ErrorReport };

export const outcome = signal<Outcome | undefined>(undefined);

/** It ended while the dialog was closed, and nobody has looked since. */
export const unseen = signal(false);

/** A stored model that is being hashed again, or was. */
export type Check =
  | { readonly kind: 'running'; readonly progress: ImportProgress | undefined }
  | { readonly kind: 'done'; readonly damaged: readonly string[] };

/** By the model's id. */
export const checks = signal<ReadonlyMap<string, Check>>(new Map());

/** Ids of models that are being deleted. */
export const deleting = signal<ReadonlySet<string>>(new Set());

/** The stored model that is being written just now, if it is in the list. */
export const growing = computed<string | undefined>(() => {
  const source = importing.value && sourceName(importing.value.source);
  const models = library.value?.models ?? [];
  return models.find((record) => record.state === 'partial' && record.source === source)?.id;
});
