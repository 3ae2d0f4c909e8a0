/**
 * Names of stored models: the same source, with a slash at its end or not, and the same settings
 * give the same one, so that work goes on.
 */
import { sha256 } from '../verify.ts';
import type { ModelSettings } from './records.ts';

/** For people who look into the browser's storage; what counts is the digest behind it. */
const MOST_NAME_CHARACTERS = 40;
const DIGEST_CHARACTERS = 16;

export async function modelId(source: string, settings: ModelSettings): Promise<string> {
  const bare = source.replace(/[/\\]+$/, '');
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = new TextEncoder().encode(JSON.stringify([bare, sorted]));
  const digest = (await sha256(text)).slice(0, DIGEST_CHARACTERS);
  const name = bare
    .split(/[/\\]/)
    .at(-1)!
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MOST_NAME_CHARACTERS)
    .replace(/^-|-$/g, '');
  return name === '' ? digest : `${name}-${digest}`;
}

export function isModelId(name: string): boolean {
  return /^[a-z0-9-]{1,100}$/.test(name);
}
