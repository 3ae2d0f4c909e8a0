/** Requests for files on servers; what goes wrong becomes an error that says what to do. */
import { AppError } from '../../shared/errors.ts';

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
 * @throws AppError `not-found`, `no-access` for what may not be read, `bad-bundle` if the file ends
 * before the range that is asked for, `cancelled`; TransientError `offline` without a connection
 * and while the server has too much to do.
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
  letGo(response);
  throw refusal(address, response.status);
}

/** What a status means. @param hint what to do about 401 and 403, where more is known */
export function refusal(address: string, status: number, hint?: string): AppError {
  if (status === 401 || status === 403) {
    return new AppError(
      'no-access',
      `${address} may not be read: the server answers ${status}.`,
      hint ??
        'It may ask for an account, or for consent to a licence. Get the files from there yourself.',
    );
  }
  if (status === 416) {
    return new AppError(
      'bad-bundle',
      `${address} is shorter than it should be: the server answers 416.`,
      'It was not uploaded whole, or is being changed. Try again later.',
    );
  }
  if (status >= 500 || status === 408 || status === 429) {
    return new TransientError(
      'offline',
      `There is no ${address} at present: the server answers ${status}.`,
      'Try again in a few minutes.',
    );
  }
  return notThere(address, `the server answers ${status}`);
}

/** Runs a request, or the reading of what it answers. @throws AppError `offline`, `cancelled` */
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
    throw unreachable(address, cause);
  }
}

export function unreachable(address: string, cause?: unknown): TransientError {
  const offline = globalThis.navigator?.onLine === false;
  return new TransientError(
    'offline',
    `${address} cannot be reached${offline ? ': this device is offline' : ''}.`,
    offline
      ? 'Try again when there is a connection.'
      : 'Check the connection and the address, then try again. A page also needs a server that allows other sites to read.',
    { cause },
  );
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
    'Check the address, or put the file there.',
  );
}

/** Ends a download that is not wanted. */
export function letGo(response: Response): void {
  void response.body?.cancel().catch(() => undefined);
}
