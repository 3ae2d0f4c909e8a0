/** What the manifest of the model that comes with the page says of it. */
import { signal } from '@preact/signals';
import { BUILT_IN } from './choice.ts';

export interface BuiltInFacts {
  readonly bytes: number;
  readonly licence: string;
  readonly source: string;
}

/** Undefined until it is known. */
export const builtInFacts = signal<BuiltInFacts | undefined>(undefined);

interface Manifest {
  readonly licence: string;
  readonly source: string;
  readonly files: Readonly<Record<string, { readonly bytes: number }>>;
}

/** Only for people to read: without it the model works all the same. */
export async function readBuiltInFacts(): Promise<void> {
  if (builtInFacts.value) return;
  try {
    const response = await fetch(new URL(`${BUILT_IN.url}manifest.json`, document.baseURI));
    const { licence, source, files } = (await response.json()) as Manifest;
    const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
    builtInFacts.value = { bytes, licence, source };
  } catch {
    // Offline before the first visit was over, for instance; the dialog asks again.
  }
}
