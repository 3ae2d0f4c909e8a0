/** Requests for a bundle's files; what goes wrong becomes an error that says what to do. */
import { AppError } from '../errors.ts';

export interface HttpOptions {
  readonly fetch?: typeof fetch;
  /** Ends requests, and the reading of what they answer: both reject with `cancelled`. */
  readonly signal?: AbortSignal;
}

/** What may work when it is asked for again: a lost connection, a server that has too much to do. */
export class TransientError extends AppError {}

/** A bundle's folder as the base of its files' addresses. @throws AppError `bad-request` */
export function folderOf(url: string): URL {
  try {
    return new URL(url.endsWith('/') ? url : `${url}/`, globalThis.location?.href);
  } catch (cause) {
    throw new AppError(
      'bad-request',
      `"${url}" is not an address.`,
      'Give the address of a folder that holds a manifest.json.',
      { cause },
    );
  }
}

/**
 * An answer of status 200 or 206.
 *
 * @throws AppError `not-found` for what is not there or may not be read, `bad-bundle` if the file
 * ends before the range that is asked for, `cancelled`; TransientError without a connection.
 */
export async function get(
  address: string,
  { fetch: ask = fetch, signal }: HttpOptions,
  init: RequestInit = {},
): Promise<Response> {
  const response = await whileConnected(address, signal, () =>
    ask(address, signal ? { signal, ...init } : init),
  );
  if (response.ok) return response;
  void response.body?.cancel().catch(() => undefined);
  throw refusal(address, response.status);
}

function refusal(address: string, status: number): AppError {
  if (status === 401 || status === 403) {
    return new AppError(
      'not-found',
      `${address} may not be read: the server answers ${status}.`,
      'It may ask for an account, or for consent to a licence. Get the files from there yourself.',
    );
  }
  if (status === 416) {
    return new AppError(
      'bad-bundle',
      `${address} is shorter than the manifest says: the server answers 416.`,
      'The bundle was not uploaded whole, or is being changed. Try again later.',
    );
  }
  if (status >= 500 || status === 408 || status === 429) {
    return new TransientError(
      'not-found',
      `There is no ${address} at present: the server answers ${status}.`,
      'Try again in a few minutes.',
    );
  }
  return notThere(address, `the server answers ${status}`);
}

/** Turns the failures of `fetch` and of its body into errors that say what to do. */
export async function whileConnected<T>(
  address: string,
  signal: AbortSignal | undefined,
  request: () => Promise<T>,
): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    if (signal?.aborted) throw cancelled(cause);
    const offline = globalThis.navigator?.onLine === false;
    throw new TransientError(
      'not-found',
      `${address} cannot be reached${offline ? ': this device is offline' : ''}.`,
      offline
        ? 'Try again when there is a connection.'
        : 'Check the connection and the address, then try again.',
      { cause },
    );
  }
}

export function cancelled(cause?: unknown): AppError {
  return new AppError('cancelled', 'Loading was cancelled.', 'Start again when you like.', {
    cause,
  });
}

export function notThere(address: string, answer: string): AppError {
  return new AppError(
    'not-found',
    `There is no ${address}: ${answer}.`,
    'Check the address of the bundle, or put the file back.',
  );
}

/** The parts of a body as they come; the connection is let go of when the reader stops early. */
export async function* chunksOf(
  address: string,
  response: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await whileConnected(address, signal, () => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Bytes that the answer promises, if it does; a compressed answer does not. */
export function promisedBytes(response: Response): number | undefined {
  const length = response.headers.get('content-length');
  return length === null || response.headers.has('content-encoding') ? undefined : Number(length);
}
