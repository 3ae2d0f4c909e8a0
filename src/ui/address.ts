/** What the page's address asks for: `?model=` and `?backend=`. */
import { AppError } from '../errors.ts';
import type { BackendChoice } from '../worker/api.ts';

export interface EngineSource {
  /** Folder of a bundle. */
  readonly bundleUrl: string;
  readonly backend: BackendChoice;
}

const BUILT_IN_MODEL = 'models/pocket/';
const CHOICES: readonly BackendChoice[] = ['auto', 'webgpu', 'cpu'];

/** @throws AppError `bad-request` if the address asks for something that there is not. */
export function sourceFromAddress(page: string): EngineSource {
  const { searchParams } = new URL(page);
  const model = searchParams.get('model') ?? BUILT_IN_MODEL;
  const bundleUrl = URL.canParse(model, page) ? new URL(model, page).href : undefined;
  if (!bundleUrl || !/^https?:/.test(bundleUrl)) {
    throw new AppError(
      'bad-request',
      `"${model}" is not an address of a model.`,
      'Give the http address of a folder with a manifest.json, or leave out ?model=.',
    );
  }
  const asked = searchParams.get('backend') ?? 'auto';
  const backend = CHOICES.find((choice) => choice === asked);
  if (!backend) {
    throw new AppError(
      'bad-request',
      `There is no backend "${asked}".`,
      `Use ?backend= with one of ${CHOICES.join(', ')}, or leave it out.`,
    );
  }
  return { bundleUrl, backend };
}
