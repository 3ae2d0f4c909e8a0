/** What servers answer to range requests. */
import { AppError } from '../../errors.ts';
import { letGo, whileConnected } from './network.ts';

/** A host that answers every address with its page. */
export function refusePage(href: string, response: Response): void {
  if (!response.headers.get('content-type')?.startsWith('text/html')) return;
  letGo(response);
  throw new AppError(
    'not-found',
    `There is no ${href}: the server answers with a web page.`,
    'Give the address of the files themselves.',
  );
}

/** The bytes that an answer says it holds, `to` exclusive; nothing if it does not say so. */
export function rangeOf(
  response: Response,
): { from: number; to: number; total: number } | undefined {
  const header = response.headers.get('content-range') ?? '';
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header);
  if (!match) return undefined;
  return { from: Number(match[1]), to: Number(match[2]) + 1, total: Number(match[3]) };
}

/** Bytes that an answer promises, if it does; a compressed one does not. */
export function lengthOf(response: Response): number | undefined {
  const length = response.headers.get('content-length');
  return length === null || response.headers.has('content-encoding') ? undefined : Number(length);
}

/** All bytes of an answer. @throws AppError `bad-checkpoint` if there are more than `most` */
export async function readBody(
  href: string,
  response: Response,
  most: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let filled = 0;
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const part = reader && (await whileConnected(href, signal, () => reader.read()));
      if (!part || part.done) break;
      parts.push(part.value);
      filled += part.value.length;
      if (filled > most) throw unranged(href, `the server gives more than ${most} bytes`);
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
  const bytes = new Uint8Array(filled);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function unranged(href: string, why: string): AppError {
  return new AppError(
    'bad-checkpoint',
    `${href} cannot be read in parts: ${why}.`,
    'Download the file and choose it here, or put it on a server that answers range requests.',
  );
}
