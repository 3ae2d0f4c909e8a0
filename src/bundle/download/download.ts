/** Downloads a bundle into a folder, and goes on with it after a reload, a crash or a lost connection. */
import { AppError } from '../../shared/errors.ts';
import { DOWNLOAD_LOG, DownloadLog } from './log.ts';
import { missingParts, PartsReceiver } from './parts.ts';
import { type Patience, watched } from './patience.ts';
import { receive, type RemoteFile } from './receive.ts';
import { StreamReceiver } from './stream.ts';
import type { RepairableFolder } from '../folder.ts';
import { cancelled } from '../http/request.ts';
import {
  type Manifest,
  MANIFEST,
  MOST_MANIFEST_BYTES,
  parseManifest,
  PART_BYTES,
} from '../manifest.ts';
import { type LoadProgress, progressOfDownload } from '../progress.ts';
import { readManifest, type RemoteManifest } from '../remote-manifest.ts';
import { withRetries } from '../http/retries.ts';
import { partHashes, sha256 } from '../verify.ts';

export interface DownloadOptions extends Patience {
  /** Counts what was there already and is verified. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Called once with the bytes that will be fetched; throws if there is no room for them. */
  readonly reserve?: (bytes: number) => Promise<void>;
}

/** A file as it is before anything of it is fetched. */
interface Plan {
  readonly file: RemoteFile;
  readonly missingBytes: number;
  fetch(): Promise<void>;
}

/**
 * Every byte in the folder is verified against the manifest, which is written last: a folder that
 * has it is complete. A folder that was complete is verified again, and what is damaged is fetched.
 *
 * @throws AppError `not-found`, `no-access` for what may not be read, `offline` for what cannot be
 * reached, `bad-bundle` for a manifest or a file that is not as it should be, `cancelled`, and what
 * the folder throws. What was verified stays, for the next call.
 */
export async function downloadBundle(
  url: string,
  folder: RepairableFolder,
  options: DownloadOptions = {},
): Promise<Manifest> {
  const remote = await patientManifest(url, options);
  const { manifest } = remote;
  for (const reserved of [MANIFEST, DOWNLOAD_LOG]) {
    if (Object.hasOwn(manifest.files, reserved)) throw reservedName(reserved);
  }
  await leaveOld(folder, remote);
  const isKept = (path: string): boolean => Object.hasOwn(manifest.files, path);
  const log = await DownloadLog.open(folder, await sha256(remote.bytes), isKept);
  const progress = options.onProgress && progressOfDownload(manifest, options.onProgress);

  const plans: Plan[] = [];
  for (const path of Object.keys(manifest.files)) {
    if (options.signal?.aborted) throw cancelled();
    const onLoaded = (bytes: number) => progress?.(path, bytes);
    plans.push(await planOf(remote, path, folder, log, options, onLoaded));
  }
  await options.reserve?.(plans.reduce((sum, { missingBytes }) => sum + missingBytes, 0));
  for (const { file, missingBytes, fetch } of plans) {
    if (missingBytes > 0) {
      await folder.remove(MANIFEST);
      await fetch();
    } else if (log.verified.has(file.path)) continue;
    await log.done(file.path);
  }

  await folder.truncate(MANIFEST, 0);
  await folder.append(MANIFEST, remote.bytes);
  await folder.flush();
  await log.remove();
  return manifest;
}

function patientManifest(url: string, options: Patience): Promise<RemoteManifest> {
  return withRetries(options, () =>
    watched(url, options, ({ signal }) =>
      readManifest(url, { ...options, signal }, { cache: 'no-cache' }),
    ),
  );
}

async function planOf(
  { manifest, folder: base }: RemoteManifest,
  path: string,
  folder: RepairableFolder,
  log: DownloadLog,
  options: DownloadOptions,
  onLoaded: (bytes: number) => void,
): Promise<Plan> {
  const entry = manifest.files[path]!;
  const file: RemoteFile = {
    path,
    address: new URL(path, base).href,
    entry,
    version: log.versions.get(path),
    onVersion: (version) => log.begun(path, version),
  };
  const there = await folder.size(path);
  if (there !== entry.bytes) await folder.remove(MANIFEST);
  if (log.verified.has(path) && there === entry.bytes) {
    onLoaded(entry.bytes);
    return { file, missingBytes: 0, fetch: () => Promise.resolve() };
  }
  if (there === 0) {
    await log.begun(path);
    await folder.truncate(path, 0);
  }
  const hashes = partHashes(path, entry);
  if (!hashes) {
    const receiver = await StreamReceiver.open(folder, file, onLoaded);
    return {
      file,
      missingBytes: entry.bytes - receiver.position,
      fetch: () => receive(file, receiver, options),
    };
  }
  // A part that was not written to its end comes again as a whole.
  const whole = there - (there % PART_BYTES);
  if (there !== entry.bytes) await folder.truncate(path, Math.min(whole, entry.bytes));
  let verified = 0;
  const missing = await missingParts(folder, file, hashes, (bytes) => onLoaded((verified = bytes)));
  const onPart = (bytes: number): void => onLoaded((verified += bytes));
  return {
    file,
    missingBytes: missing.reduce((sum, { from, to }) => sum + to - from, 0),
    async fetch() {
      for (const range of missing) {
        await receive(file, new PartsReceiver(folder, file, hashes, range, onPart), options);
      }
    },
  };
}

/** A bundle of another manifest that the folder has: files that both have may be the same. */
async function leaveOld(
  folder: RepairableFolder,
  { manifest, bytes }: RemoteManifest,
): Promise<void> {
  const length = await folder.size(MANIFEST);
  if (length === 0 || length > MOST_MANIFEST_BYTES) return folder.remove(MANIFEST);
  const text = new TextDecoder().decode(await folder.read(MANIFEST, 0, length));
  if (text === new TextDecoder().decode(bytes)) return;
  for (const path of pathsIn(text)) {
    if (!Object.hasOwn(manifest.files, path)) await folder.remove(path);
  }
  await folder.remove(MANIFEST);
}

/** Of the files that a manifest lists; none if it was not written to its end. */
function pathsIn(manifest: string): string[] {
  try {
    return Object.keys(parseManifest(manifest, MANIFEST).files);
  } catch {
    return [];
  }
}

function reservedName(path: string): AppError {
  return new AppError(
    'bad-bundle',
    `The bundle lists a file ${path}, a name that is used for something else.`,
    'Convert the bundle again.',
  );
}
