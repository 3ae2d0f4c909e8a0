/**
 * This site's IndexedDB as the page uses it. It may be missing, throw when touched, refuse to open or never
 * answer (private windows, blocked cookies); every failure is a rejection here.
 */
import { signal } from '@preact/signals';
import * as database from 'idb-keyval';

/** Whether what is written is there at the next visit, as far as the last try showed. */
export const keepsSettings = signal(true);

/** A disk that is busy answers late; one that has not answered by then never will. */
const PATIENCE_MS = 5000;

/** Undefined where there is nothing, or where storage does not answer. */
export async function read<T>(key: string): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<'none'>((resolve) => {
    timer = setTimeout(() => resolve('none'), PATIENCE_MS);
  });
  const asked = tried(async () => database.get<T>(key));
  const answer = await Promise.race([asked, silence]);
  clearTimeout(timer);
  if (answer === 'none') keepsSettings.value = false;
  return answer === 'none' || answer === 'failed' ? undefined : answer;
}

export async function write(key: string, value: unknown): Promise<void> {
  await tried(async () => database.set(key, value));
}

async function tried<T>(work: () => Promise<T>): Promise<T | 'failed'> {
  try {
    const result = await work();
    keepsSettings.value = true;
    return result;
  } catch {
    keepsSettings.value = false;
    return 'failed';
  }
}
