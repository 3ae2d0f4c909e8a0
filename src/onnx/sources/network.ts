/** Requests for checkpoints: what goes wrong becomes an error that says what to do, or is tried again. */
import { AppError } from '../../errors.ts';

export interface NetworkOptions {
  readonly fetch?: typeof fetch;
  /** Ends requests: they reject with `cancelled`. */
  readonly signal?: AbortSignal;
  /** Attempts at what may work when it is asked for again. */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; twice as many before each later one. */
  readonly pause?: number;
}

const ATTEMPTS = 5;
const PAUSE = 500;

/** What may work when it is asked for again: a lost connection, a server that has too much to do. */
class TransientError extends AppError {}

/** An answer of status 200 or 206. @throws AppError `not-found`, `no-access`, `offline`, `cancelled` */
export async function ask(
  address: string,
  { fetch: send = fetch, signal }: NetworkOptions,
  init: RequestInit = {},
): Promise<Response> {
  const response = await whileConnected(address, signal, () =>
    send(address, signal ? { ...init, signal } : init),
  );
  if (response.ok) return response;
  letGo(response);
  throw refusal(address, response.status);
}

/** Ends a download that is not wanted. */
export function letGo(response: Response): void {
  void response.body?.cancel().catch(() => undefined);
}

/** What a status means. @param hint what to do about 401 and 403, where more is known */
export function refusal(address: string, status: number, hint?: string): AppError {
  if (status === 401 || status === 403) {
    return new AppError(
      'no-access',
      `${address} may not be read: the server answers ${status}.`,
      hint ?? 'It may ask for an account. Download the files there, and choose them here.',
    );
  }
  if (status === 408 || status === 429 || status >= 500) {
    return new TransientError(
      'offline',
      `${address} cannot be had at present: the server answers ${status}.`,
      'Try again in a few minutes.',
    );
  }
  return new AppError(
    'not-found',
    `There is no ${address}: the server answers ${status}.`,
    'Check the address.',
  );
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

export function unreachable(address: string, cause?: unknown): AppError {
  return new TransientError(
    'offline',
    `${address} cannot be reached.`,
    'Check the connection and the address. A page also needs a server that allows other sites to read.',
    { cause },
  );
}

/** Tries again, after a pause, while the error is one that may pass. */
export async function withRetries<T>(
  { attempts = ATTEMPTS, pause = PAUSE, signal }: NetworkOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      if (made >= attempts || !(error instanceof TransientError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause * 2 ** (made - 1)));
    if (signal?.aborted) throw cancelled();
  }
}

function cancelled(cause?: unknown): AppError {
  return new AppError('cancelled', 'Reading was cancelled.', 'Start again when you like.', {
    cause,
  });
}

/** A part of an address without its percent signs, or as it is if they are wrong. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
