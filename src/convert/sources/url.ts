/** A checkpoint on a web server: the address of a folder, or of one .safetensors file. */
import { get, letGo, unreachable } from '../../bundle/http/request.ts';
import { bytesOf, promisedBytes, rangeOf, refusePage } from '../../bundle/http/responses.ts';
import { AppError } from '../../shared/errors.ts';
import { endsBefore, type Source } from '../files.ts';
import { isWeightFile } from '../checkpoint/layouts/formats.ts';
import { Memo } from './memo.ts';
import { decoded, type NetworkOptions, patiently } from './network.ts';

/** Files up to this size are read at once, if they are no weights or come without ranges. */
const SMALL = 16 * 2 ** 20;

/**
 * Weights are read by range requests. A server need not list a folder's files: the well-known
 * paths of a diffusers folder are tried.
 *
 * @throws AppError `bad-request` unless it is an address of the web; reads throw what `get` throws,
 * and `bad-checkpoint` if the server cannot give parts of a file.
 */
export function urlSource(url: string, options: NetworkOptions = {}): Source {
  return new UrlSource(parse(url), options);
}

function parse(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address && /^https?:$/.test(address.protocol)) return address;
  throw new AppError(
    'bad-request',
    `"${url}" is not a web address.`,
    'Give an address that begins with https://, of a folder or of a .safetensors file.',
  );
}

class UrlSource implements Source {
  readonly name: string;
  private readonly folder: URL;
  private readonly only: string | undefined;
  private readonly small = new Memo<Uint8Array>();
  /** Sizes of weights; nothing for those that are small and come whole. */
  private readonly sizes = new Memo<number | undefined>();

  constructor(
    private readonly address: URL,
    private readonly options: NetworkOptions,
  ) {
    // A query may hold a key, which is nobody else's business.
    this.name = address.origin + address.pathname;
    const single = isWeightFile(address.pathname);
    this.only = single ? decoded(address.pathname.split('/').at(-1)!) : undefined;
    this.folder = new URL(single ? './' : `${address.pathname.replace(/\/*$/, '')}/`, address);
  }

  async list(): Promise<readonly string[]> {
    return Promise.resolve(this.only === undefined ? [] : [this.only]);
  }

  /** What may not be read counts as not there: some servers answer so to all that they do not have. */
  async has(path: string): Promise<boolean> {
    try {
      await this.size(path);
      return true;
    } catch (error) {
      if (error instanceof AppError && ['not-found', 'no-access'].includes(error.code))
        return false;
      throw error;
    }
  }

  async size(path: string): Promise<number> {
    const size = isWeightFile(path) ? await this.largeSize(path) : undefined;
    return size ?? (await this.whole(path)).length;
  }

  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const size = isWeightFile(path) ? await this.largeSize(path) : undefined;
    if (size === undefined) {
      const bytes = await this.whole(path);
      if (offset + length > bytes.length) endsBefore(this.href(path), offset + length);
      return bytes.slice(offset, offset + length);
    }
    if (offset + length > size) endsBefore(this.href(path), offset + length);
    if (length === 0) return new Uint8Array(0);
    return patiently(this.options, () => this.range(path, offset, length, size));
  }

  private href(path: string): string {
    if (path === this.only) return this.address.href;
    return new URL(path.split('/').map(encodeURIComponent).join('/'), this.folder).href;
  }

  private largeSize(path: string): Promise<number | undefined> {
    return this.sizes.get(path, () => patiently(this.options, () => this.findSize(path)));
  }

  /** Nothing if the file is small and the server gives it only whole. */
  private async findSize(path: string): Promise<number | undefined> {
    const href = this.href(path);
    const response = await get(href, this.options, { headers: { Range: 'bytes=0-0' } });
    letGo(response);
    refusePage(href, response);
    if (response.status === 206) {
      const total = rangeOf(response)?.total;
      if (total !== undefined) return total;
      // Other sites may not see the range unless the server says so, but always the length.
      const head = await get(href, this.options, { method: 'HEAD' });
      const length = promisedBytes(head);
      if (length !== undefined) return length;
      throw unranged(href, 'the server does not say how long it is');
    }
    const length = promisedBytes(response);
    if (length !== undefined && length <= SMALL) return undefined;
    throw unranged(href, 'the server gives it only whole');
  }

  private async range(
    path: string,
    offset: number,
    length: number,
    size: number,
  ): Promise<Uint8Array> {
    const href = this.href(path);
    const end = offset + length;
    const headers = { Range: `bytes=${offset}-${end - 1}` };
    const response = await get(href, this.options, { headers });
    if (response.status !== 206) {
      letGo(response);
      throw unranged(href, 'the server gives it only whole');
    }
    const { from = offset, to = end, total = size } = rangeOf(response) ?? {};
    if (from !== offset || to !== end || total !== size) {
      letGo(response);
      throw unranged(href, 'the server gives other bytes than were asked for, or the file changed');
    }
    const bytes = await this.body(href, response, length);
    if (bytes.length < length) throw unreachable(href);
    return bytes;
  }

  private whole(path: string): Promise<Uint8Array> {
    return this.small.get(path, () =>
      patiently(this.options, async () => {
        const href = this.href(path);
        const response = await get(href, this.options);
        refusePage(href, response);
        return this.body(href, response, SMALL);
      }),
    );
  }

  private body(href: string, response: Response, most: number): Promise<Uint8Array> {
    return bytesOf(href, response, this.options.signal, most, () =>
      unranged(href, `the server gives more than ${most} bytes`),
    );
  }
}

function unranged(href: string, why: string): AppError {
  return new AppError(
    'bad-checkpoint',
    `${href} cannot be read in parts: ${why}.`,
    'Download the file and choose it here, or put it on a server that answers range requests.',
  );
}
