/** What another conversion has left in the folder: its files may have names that nothing writes again. */
import type { WritableFolder } from '../../bundle/folder.ts';
import { MANIFEST, parseManifest } from '../../bundle/manifest.ts';
import { readJournal } from './journal.ts';

const LARGEST_MANIFEST = 64 * 2 ** 20;

/**
 * Removes the bundle that is there, its manifest last, and what the journal has of a conversion that
 * was stopped, unless it is this one, which goes on with it.
 * @param of digest of the source and the settings
 */
export async function removeOthers(folder: WritableFolder, of: string): Promise<void> {
  const journal = await readJournal(folder);
  if (journal?.of !== of) {
    const paths = journal?.lines.map(({ file }) => file) ?? [];
    for (const path of new Set([...paths, ...(await listedIn(folder))])) {
      await folder.remove(path);
    }
  }
  await folder.remove(MANIFEST);
}

/** Nothing for what is no manifest: those files are somebody else's. */
async function listedIn(folder: WritableFolder): Promise<string[]> {
  const bytes = await folder.size(MANIFEST);
  if (bytes === 0 || bytes > LARGEST_MANIFEST) return [];
  const text = new TextDecoder().decode(await folder.read(MANIFEST, 0, bytes));
  try {
    return Object.keys(parseManifest(text, MANIFEST).files);
  } catch {
    return [];
  }
}
