/** ONNX Runtime as both backends use it: sessions out of a bundle, tensors by name. */
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { Bundle } from '../bundle/bundle.ts';
import type { GraphFiles } from '../bundle/manifest.ts';
import { AppError } from '../errors.ts';

/** Every build of onnxruntime-web has this face. */
export type Ort = typeof import('onnxruntime-web/wasm');
export type Tensors = Readonly<Record<string, Tensor>>;

/** Where ONNX Runtime's calls are queued, since they must not overlap. */
export interface Runner {
  run<T>(job: () => Promise<T>): Promise<T>;
}

/**
 * Reads a graph with its external data and makes a session of it. All bytes are read first:
 * a read that fails inside ONNX Runtime's own create would block later ones.
 *
 * @throws AppError `bad-bundle` if ONNX Runtime refuses the graph.
 */
export async function openSession(
  runner: Runner,
  ort: Ort,
  bundle: Bundle,
  files: GraphFiles,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const graph = await bundle.read(files.graph);
  const externalData: { path: string; data: Uint8Array }[] = [];
  for (const path of files.data) {
    externalData.push({ path: relativeTo(files.graph, path), data: await bundle.read(path) });
  }
  try {
    return await runner.run(() => ort.InferenceSession.create(graph, { ...options, externalData }));
  } catch (cause) {
    if (cause instanceof AppError) throw cause; // the device was lost
    throw new AppError(
      'bad-bundle',
      `The graph ${files.graph} does not load: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Convert or download the bundle again.',
      { cause },
    );
  }
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

/**
 * Runs consecutive segments, each on what the first was given and all that earlier ones gave.
 * Tensors between segments are disposed; the last segment writes into `outputs`.
 */
export async function runSegments(
  runner: Runner,
  segments: readonly InferenceSession[],
  given: Tensors,
  outputs: Tensors = {},
): Promise<Tensors> {
  const between: Record<string, Tensor> = {};
  try {
    for (const segment of segments.slice(0, -1)) {
      Object.assign(between, await runSession(runner, segment, { ...given, ...between }));
    }
    const last = segments[segments.length - 1];
    if (!last) throw new AppError('bad-bundle', 'The trunk has no segments.', 'Convert it again.');
    return await runSession(runner, last, { ...given, ...between }, outputs);
  } finally {
    for (const tensor of Object.values(between)) tensor.dispose();
  }
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
