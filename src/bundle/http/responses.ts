/** What servers answer: its bytes, and what its headers say of them. */
import type { AppError } from '../../shared/errors.ts';
import { letGo, notThere, whileConnected } from './request.ts';

/**
 * The parts of a body as they come; the connection is let go of when the reader stops early.
 * The signal ends the reading itself: Node's fetch may have collected what listens to it as garbage
 * by then, and the next part is waited for without end.
 */
export async function* chunksOf(
  address: string,
  response: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const stop = (): Promise<void> => reader.cancel().catch(() => undefined);
  if (signal?.aborted) void stop();
  signal?.addEventListener('abort', stop);
  try {
    for (;;) {
      const { done, value } = await whileConnected(address, signal, async () => {
        const part = await reader.read();
        signal?.throwIfAborted(); // what was stopped is done too
        return part;
      });
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    await stop();
  }
}

/** All bytes of a body. @throws what `tooLong` makes if there are more than `most` */
export async function bytesOf(
  address: string,
  response: Response,
  signal: AbortSignal | undefined,
  most: number,
  tooLong: () => AppError,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of chunksOf(address, response, signal)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > most) throw tooLong();
  }
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

/** @throws AppError `not-found` for a host that answers every address with its page. */
export function refusePage(address: string, response: Response): void {
  if (!response.headers.get('content-type')?.startsWith('text/html')) return;
  letGo(response);
  throw notThere(address, 'the server answers with a web page');
}

/** Bytes that the answer promises, if it does; a compressed answer does not. */
export function promisedBytes(response: Response): number | undefined {
  const length = response.headers.get('content-length');
  return length === null || response.headers.has('content-encoding') ? undefined : Number(length);
}

/**
 * The bytes of the file that an answer says it holds, `to` exclusive, and the file's length if it
 * says that. Servers of other sites may keep this header from a page: then nothing.
 */
export function rangeOf(
  response: Response,
): { from: number; to: number; total: number | undefined } | undefined {
  const header = response.headers.get('content-range') ?? '';
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header);
  if (!match) return undefined;
  const total = match[3] === '*' ? undefined : Number(match[3]);
  return { from: Number(match[1]), to: Number(match[2]) + 1, total };
}
