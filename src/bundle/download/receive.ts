/** One range of a file, over as many requests as it takes. */
import { AppError } from '../../shared/errors.ts';
import { get, letGo, TransientError } from '../http/request.ts';
import { chunksOf, promisedBytes, rangeOf } from '../http/responses.ts';
import { Retries } from '../http/retries.ts';
import { type FileEntry, wrongSize } from '../verify.ts';
import { type Patience, type Watch, watched } from './patience.ts';

export interface RemoteFile {
  readonly path: string;
  readonly address: string;
  readonly entry: FileEntry;
  /** That the bytes so far are of: an ETag or a date, where the server says one. */
  version: string | undefined;
  /** Called before anything of another version is taken. */
  onVersion(version: string): Promise<void>;
}

/** Takes what comes, from `position` to `end`. */
export interface Receiver {
  /** Of the byte that is wanted next. Where it goes back, bytes are asked for again. */
  readonly position: number;
  readonly end: number;
  take(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Drops what is not verified: the server has another version of the file now. */
  forget(): Promise<void>;
}

/** A file that changes more often is not served as one. */
const MOST_VERSIONS = 3;

/**
 * @throws AppError as `get`, `bad-bundle`, and what the receiver throws. A lost
 * connection or a busy server is tried again until nothing came several times in a row.
 */
export async function receive(
  file: RemoteFile,
  receiver: Receiver,
  options: Patience,
): Promise<void> {
  const retries = new Retries(options);
  let reached = receiver.position;
  let versions = 0;
  while (receiver.position < receiver.end) {
    const outcome = await watched(file.address, options, (watch) =>
      request(file, receiver, options, watch),
    ).catch((cause: unknown) => {
      if (cause instanceof TransientError) return cause;
      throw cause;
    });
    if (receiver.position > reached) {
      reached = receiver.position;
      retries.reset();
      versions = 0;
    }
    if (outcome === 'another version' && ++versions > MOST_VERSIONS) throw keepsChanging(file);
    if (outcome instanceof TransientError) await retries.after(outcome);
  }
}

/** One request for what is left. @throws TransientError if the connection is lost before its end */
async function request(
  file: RemoteFile,
  receiver: Receiver,
  options: Patience,
  watch: Watch,
): Promise<'taken' | 'another version'> {
  const { address, entry, path } = file;
  const response = await get(
    address,
    { ...options, signal: watch.signal },
    {
      cache: 'no-store', // the browser must not keep a second copy of gigabytes
      // No If-Range: browsers would ask other hosts for leave to send it, and many refuse. That
      // the answer is of the same version says as much.
      headers: { Range: `bytes=${receiver.position}-${receiver.end - 1}` },
    },
  );
  let skip = receiver.position - startOf(file, response, receiver.position);
  if (await isAnotherVersion(file, response)) {
    letGo(response);
    await receiver.forget();
    return 'another version';
  }
  for await (const chunk of watch.each(chunksOf(address, response, watch.signal))) {
    const from = Math.min(skip, chunk.length);
    skip -= from;
    const wanted = chunk.subarray(from, from + receiver.end - receiver.position);
    const next = receiver.position + wanted.length;
    if (wanted.length > 0) await receiver.take(wanted);
    if (receiver.position !== next || next === receiver.end) return 'taken';
  }
  const { code, message, hint } = wrongSize(path, receiver.position, entry);
  throw new TransientError(code, message, hint);
}

/** Whether it is of another version than the bytes so far. */
async function isAnotherVersion(file: RemoteFile, { headers }: Response): Promise<boolean> {
  const before = file.version;
  // Other hosts often keep the ETag from us, but not the date.
  const version = headers.get('etag') ?? headers.get('last-modified') ?? before;
  if (version === undefined || version === before) return false;
  file.version = version;
  await file.onVersion(version);
  return before !== undefined;
}

/**
 * Where the answer begins: at `position`, or at 0 if the server has no ranges.
 * @throws AppError `bad-bundle` if the server's file is not as long as the manifest says.
 */
function startOf({ path, entry }: RemoteFile, response: Response, position: number): number {
  if (response.status !== 206) {
    const length = promisedBytes(response);
    if (length !== undefined && length !== entry.bytes) throw wrongSize(path, length, entry);
    return 0;
  }
  // Where the header is kept from us the hash alone decides.
  const { from = position, total = entry.bytes } = rangeOf(response) ?? {};
  if (total !== entry.bytes) throw wrongSize(path, total, entry);
  if (from <= position) return from;
  throw new AppError(
    'bad-bundle',
    `The server sends ${path} from byte ${from} when it is asked for byte ${position}.`,
    'Use another server for the bundle.',
  );
}

function keepsChanging({ address }: RemoteFile): AppError {
  return new AppError(
    'bad-bundle',
    `${address} changes while it is downloaded.`,
    'Try again later.',
  );
}
