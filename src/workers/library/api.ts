/** The messages between the page and the worker that keeps models: types only. */
import type { ModelRecord } from '../../bundle/store/records.ts';
import type { StorageSpace } from '../../bundle/store/room.ts';

export type { ModelRecord, StorageSpace };

/** How an import stores weights (src/convert/quantize/precision-policy.ts); `auto` goes by the model's size. */
export type ImportQuantization = 'auto' | 'mixed' | 'int4' | 'int8' | 'f16';

export type ImportSource =
  /** Picked or dropped files: single files, or all files of a folder. */
  | { readonly kind: 'files'; readonly files: readonly File[] }
  /** A picked or dropped folder. */
  | { readonly kind: 'folder'; readonly folder: FileSystemDirectoryHandle }
  /**
   * A web address (of a bundle's folder, of a checkpoint's folder or of a .safetensors file), or a
   * Hugging Face repository as ORG/NAME, with `@` and a revision if need be.
   */
  | { readonly kind: 'address'; readonly address: string; readonly token?: string };

export interface ImportLora {
  readonly file: File;
  readonly strength: number;
}

export interface ImportRequest {
  readonly source: ImportSource;
  /** Has no meaning for a bundle, which is kept as it is. */
  readonly quantization: ImportQuantization;
  readonly loras: readonly ImportLora[];
}

export interface ImportProgress {
  /** What is being done, in words. */
  readonly what: string;
  readonly doneBytes: number;
  /** 0 while it is not known. */
  readonly totalBytes: number;
  /** Null while there is nothing to go by. */
  readonly secondsLeft: number | null;
}

export interface ImportResult {
  readonly record: ModelRecord;
  /** What is worth knowing of the model, such as weights that nothing uses; a sentence each. */
  readonly notes: readonly string[];
}

export interface Library {
  /** The newest first. */
  readonly models: readonly ModelRecord[];
  /** Null where the browser keeps no files for this page, and so no models. */
  readonly space: StorageSpace | null;
}

/** What the worker exposes through Comlink. Errors arrive as `AppError`. */
export interface LibraryApi {
  list(): Promise<Library>;
  /**
   * Downloads a bundle, or converts a checkpoint to one. The same source and settings go on where an
   * import was stopped, by whatever. Rejects with `cancelled` after `cancel()`, with `busy` while
   * another import runs, here or in another tab.
   */
  import(
    request: ImportRequest,
    onProgress: (progress: ImportProgress) => void,
  ): Promise<ImportResult>;
  /** Ends the running import; what it has done is kept. */
  cancel(): Promise<void>;
  /** Deletes a model and frees its space. */
  remove(id: string): Promise<void>;
  /** Hashes every file again; gives the paths of those that are damaged. */
  verify(id: string, onProgress: (progress: ImportProgress) => void): Promise<string[]>;
}
