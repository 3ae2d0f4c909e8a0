/** What the page's address asks for: `?model=` and `?backend=`. */
import { AppError } from '../shared/errors.ts';
import type { BackendChoice, ModelAddress } from '../workers/engine/api.ts';
import { BUILT_IN } from './models/choice.ts';

export interface AskedFor {
  /** Undefined where the address names no model: the one of the last visit. */
  readonly model: ModelAddress | undefined;
  readonly backend: BackendChoice;
}

const CHOICES: readonly BackendChoice[] = ['auto', 'webgpu', 'cpu'];

/** @throws AppError `bad-request` if the address asks for something that there is not. */
export function readAddress(page: string): AskedFor {
  const { searchParams } = new URL(page);
  const asked = searchParams.get('backend') ?? 'auto';
  const backend = CHOICES.find((choice) => choice === asked);
  if (!backend) {
    throw new AppError(
      'bad-request',
      `There is no backend "${asked}".`,
      `Use ?backend= with one of ${CHOICES.join(', ')}, or leave it out.`,
    );
  }
  const model = searchParams.get('model');
  return { model: model === null ? undefined : modelAt(model, page), backend };
}

function modelAt(model: string, page: string): ModelAddress {
  const url = URL.canParse(model, page) ? new URL(model, page).href : undefined;
  if (url === new URL(BUILT_IN.url, page).href) return BUILT_IN;
  if (url && /^https?:/.test(url)) return { kind: 'url', url };
  throw new AppError(
    'bad-request',
    `"${model}" is not an address of a model.`,
    'Give the http address of a folder with a manifest.json, or leave out ?model=.',
  );
}
