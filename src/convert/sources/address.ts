/** What people type to say where a model is: a repository of the Hugging Face Hub, or an address. */
import type { Source } from '../files.ts';
import { isWeightFile } from '../checkpoint/layouts/formats.ts';
import { hubSource, type HubAddress } from './hub.ts';
import { decoded, type NetworkOptions } from './network.ts';
import { urlSource } from './url.ts';

const REPO = /^(?<repo>[\w.-]+\/[\w.-]+)(?:@(?<revision>[^\s@]+))?$/;
const HUB_PAGE = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/(?<path>[^?#]+)/;

/**
 * `ORGANISATION/NAME`, also with `@REVISION`, or the address of the repository, of one of its
 * revisions or of a file in it. Nothing for all else.
 */
export function parseHubAddress(text: string): HubAddress | undefined {
  const trimmed = text.trim();
  const page = HUB_PAGE.exec(trimmed)?.groups?.['path'];
  if (page === undefined) return named(REPO.exec(trimmed)?.groups);
  const [organisation, name, view, revision, ...rest] = page
    .replace(/\/+$/, '')
    .split('/')
    .map(decoded);
  if (view === undefined) return named(REPO.exec(`${organisation}/${name}`)?.groups);
  const repo = `${organisation}/${name}`;
  if (!['tree', 'blob', 'resolve'].includes(view) || revision === undefined) return { repo };
  const file = rest.join('/');
  return { repo, revision, ...(isWeightFile(file) && { file }) };
}

function named(groups: Record<string, string | undefined> | undefined): HubAddress | undefined {
  const { repo, revision } = groups ?? {};
  if (repo === undefined) return undefined;
  return { repo, ...(revision !== undefined && { revision }) };
}

export interface AddressOptions extends NetworkOptions {
  /** Access token of the Hugging Face Hub. It is sent nowhere else. */
  readonly token?: string;
  readonly hubUrl?: string;
}

/** @throws AppError `bad-request` if it is neither a repository nor a web address. */
export function sourceAt(
  address: string,
  { token, hubUrl, ...network }: AddressOptions = {},
): Source {
  const repository = parseHubAddress(address);
  if (!repository) return urlSource(address.trim(), network);
  return hubSource({
    ...repository,
    ...network,
    ...(token !== undefined && { token }),
    ...(hubUrl !== undefined && { hubUrl }),
  });
}
