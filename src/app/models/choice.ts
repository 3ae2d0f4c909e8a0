/** Which model runs, as the page and its memory name it. */
import type { ModelAddress } from '../../workers/engine/api.ts';

/** The model that comes with the page, relative to it. */
export const BUILT_IN = { kind: 'url', url: 'models/pocket/' } as const satisfies ModelAddress;
export const BUILT_IN_TITLE = 'Pocket';
export const BUILT_IN_KEY = 'built-in';

/** Tells models apart, and means the same at the next visit. */
export function modelKey(model: ModelAddress): string {
  if (model.kind === 'stored') return model.id;
  return model.url === BUILT_IN.url ? BUILT_IN_KEY : model.url;
}
