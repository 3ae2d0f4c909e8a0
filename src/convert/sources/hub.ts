/** A model repository on the Hugging Face Hub, read in parts. */
import { refusal, unreachable, whileConnected } from '../../bundle/http/request.ts';
import { AppError } from '../../shared/errors.ts';
import { endsBefore, type Source } from '../files.ts';
import { Memo } from './memo.ts';
import { type NetworkOptions, patiently } from './network.ts';

export interface HubAddress {
  /** `ORGANISATION/NAME`. */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision?: string;
  /** The one file that counts. */
  readonly file?: string;
}

export interface HubOptions extends HubAddress, NetworkOptions {
  /** An access token; gated and private repositories need one. */
  readonly token?: string;
  readonly hubUrl?: string;
}

export const HUB = 'https://huggingface.co';

/**
 * @throws AppError `bad-request` if the token is none; reads throw `not-found`, `no-access` with
 * what to do for gated models, `offline`, `cancelled`.
 */
export function hubSource(options: HubOptions): Source {
  if (options.token !== undefined && !/^hf_\w+$/.test(options.token)) {
    throw new AppError(
      'bad-request',
      'The access token does not begin with hf_, as those of Hugging Face do.',
      `Make one at ${HUB}/settings/tokens that may read models.`,
    );
  }
  return new HubSource(options);
}

class HubSource implements Source {
  readonly name: string;
  private readonly files = new Memo<ReadonlyMap<string, number>>();
  private readonly blobs = new Memo<Blob>();

  constructor(private readonly options: HubOptions) {
    this.name = `${options.hubUrl ?? HUB}/${options.repo}`;
  }

  async list(): Promise<readonly string[]> {
    return [...(await this.sizes()).keys()];
  }

  async has(path: string): Promise<boolean> {
    return (await this.sizes()).has(path);
  }

  async size(path: string): Promise<number> {
    const size = (await this.sizes()).get(path);
    if (size !== undefined) return size;
    throw new AppError(
      'not-found',
      `${this.name} has no ${path}.`,
      'Choose a repository with a FLUX.1 model.',
    );
  }

  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const where = `${this.name}/${path}`;
    const end = offset + length;
    if (end > (await this.size(path))) endsBefore(where, end);
    if (length === 0) return new Uint8Array(0);
    return patiently(this.options, async () => {
      const blob = await this.blobs.get(path, () => this.open(path));
      let bytes: ArrayBuffer;
      try {
        bytes = await blob.slice(offset, end).arrayBuffer();
      } catch (cause) {
        // Addresses of a file's data hold for an hour or so: the next attempt asks for a new one.
        this.blobs.forget(path);
        throw this.options.signal?.aborted ? cause : unreachable(where, cause);
      }
      if (bytes.byteLength !== length) throw unreachable(where);
      return new Uint8Array(bytes);
    });
  }

  private sizes(): Promise<ReadonlyMap<string, number>> {
    return this.files.get('all', () =>
      patiently(this.options, () =>
        this.asking(this.name, async () => {
          const { listFiles } = await import('@huggingface/hub');
          const sizes = new Map<string, number>();
          const request = this.request();
          // The client encodes a revision in its other addresses, but not in this one.
          const revision = encodeURIComponent(request.revision);
          const files = listFiles({ ...request, revision, recursive: true });
          for await (const { type, path, size } of files) {
            if (type === 'file' && (this.options.file ?? path) === path) sizes.set(path, size);
          }
          return sizes;
        }),
      ),
    );
  }

  private async open(path: string): Promise<Blob> {
    const where = `${this.name}/${path}`;
    return this.asking(where, async () => {
      const { downloadFile } = await import('@huggingface/hub');
      const blob = await downloadFile({ ...this.request(), path });
      if (!blob) throw refusal(where, 404);
      return blob;
    });
  }

  private request(): {
    repo: { type: 'model'; name: string };
    revision: string;
    hubUrl: string;
    fetch: typeof fetch;
    accessToken?: string;
  } {
    const { repo, revision = 'main', hubUrl = HUB, token, signal } = this.options;
    const send = this.options.fetch ?? fetch;
    return {
      repo: { type: 'model', name: repo },
      revision,
      hubUrl,
      fetch: signal ? (input, init) => send(input, { ...init, signal }) : send,
      ...(token !== undefined && { accessToken: token }),
    };
  }

  /** Turns the hub client's errors into ours. */
  private asking<T>(where: string, request: () => Promise<T>): Promise<T> {
    return whileConnected(where, this.options.signal, async () => {
      try {
        return await request();
      } catch (cause) {
        const status = (cause as { statusCode?: unknown }).statusCode;
        throw typeof status === 'number' ? refusal(where, status, this.hint()) : cause;
      }
    });
  }

  private hint(): string {
    const { repo, token } = this.options;
    const page = `${HUB}/${repo}`;
    return token === undefined
      ? `Check the name. If the model is gated, accept its licence at ${page} and give an access token.`
      : `Accept the licence at ${page} with the token's account, and let the token read gated models.`;
  }
}
