/** ONNX Runtime as both backends use it: sessions out of a bundle, tensors by name. */
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { Bundle } from '../../bundle/bundle.ts';
import { entryOf } from '../../bundle/files.ts';
import type { GraphFiles } from '../../bundle/manifest.ts';
import { AppError, messageOf } from '../../shared/errors.ts';

/** Every build of onnxruntime-web has this face. */
export type Ort = typeof import('onnxruntime-web/wasm');
export type Tensors = Readonly<Record<string, Tensor>>;

/** Where ONNX Runtime's calls are queued, since they must not overlap. */
export interface Runner {
  run<T>(job: () => Promise<T>): Promise<T>;
}

/** External data from this size on are not read into memory as a whole where that can be helped. */
const LARGE = 64 * 2 ** 20;

/** How a session's files are read. */
export interface Reading {
  readonly bundle: Bundle;
  /** Whether this build of ONNX Runtime reads a Blob piece by piece as it goes along. */
  readonly readsBlobs: boolean;
  /** Told of the bytes read so far. */
  readonly onRead?: (bytes: number) => void;
}

/**
 * Reads a graph with its external data and makes a session of it. Everything is read first, or is
 * a Blob that has been verified: a read that fails inside ONNX Runtime's own create would block
 * later ones. Its bytes are let go of when the session is made.
 *
 * @param create makes the session, in its turn
 * @throws AppError `bad-bundle` if ONNX Runtime refuses the graph; `out-of-memory` is passed on.
 */
export async function openSession(
  { bundle, readsBlobs, onRead = () => undefined }: Reading,
  files: GraphFiles,
  create: (graph: Uint8Array, externalData: readonly ExternalData[]) => Promise<InferenceSession>,
): Promise<InferenceSession> {
  let read = 0;
  const counted = <T>(path: string, data: T): T => {
    onRead((read += entryOf(bundle.manifest, path).bytes));
    return data;
  };
  onRead(0);
  const graph = counted(files.graph, await bundle.read(files.graph));
  const externalData: ExternalData[] = [];
  for (const path of files.data) {
    const data = counted(path, await externalFile(bundle, path, readsBlobs));
    externalData.push({ path: relativeTo(files.graph, path), data });
  }
  try {
    return await create(graph, externalData);
  } catch (cause) {
    if (cause instanceof AppError) throw cause; // the device was lost, or has no room
    throw new AppError(
      'bad-bundle',
      `The graph ${files.graph} does not load: ${messageOf(cause)}`,
      'Convert or download the bundle again.',
      { cause },
    );
  }
}

export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array | Blob;
}

/**
 * Large files go by way of a Blob, which is verified in pieces. Builds that cannot read one get its
 * bytes, once.
 */
async function externalFile(
  bundle: Bundle,
  path: string,
  readsBlobs: boolean,
): Promise<Uint8Array | Blob> {
  if (entryOf(bundle.manifest, path).bytes < LARGE) return bundle.read(path);
  const blob = await bundle.blob(path);
  return readsBlobs ? blob : new Uint8Array(await blob.arrayBuffer());
}

/** External data is named inside a graph by its path from the graph's own folder. */
function relativeTo(graph: string, path: string): string {
  const folder = graph.slice(0, graph.lastIndexOf('/') + 1);
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}

/**
 * Runs a session on those of `available` that it has as inputs. `outputs` are tensors to write
 * into; those that are left out are made by ONNX Runtime.
 */
export async function runSession(
  runner: Runner,
  session: InferenceSession,
  available: Tensors,
  outputs: Tensors = {},
): Promise<Tensors> {
  const feeds: Record<string, Tensor> = {};
  for (const name of session.inputNames) {
    const tensor = available[name];
    if (!tensor) {
      throw new AppError(
        'bad-bundle',
        `A graph asks for an input "${name}" that this version does not know.`,
        'Convert the bundle again with this version.',
      );
    }
    feeds[name] = tensor;
  }
  const fetches = Object.fromEntries(
    session.outputNames.map((name) => [name, outputs[name] ?? null]),
  );
  return runner.run(() => session.run(feeds, fetches));
}

/** The one output of that name, which the graph contract promises. */
export function outputOf(results: Tensors, name: string): Tensor {
  const tensor = results[name];
  if (!tensor) {
    throw new AppError(
      'bad-bundle',
      `A graph gives no output "${name}".`,
      'Convert the bundle again with this version.',
    );
  }
  return tensor;
}
