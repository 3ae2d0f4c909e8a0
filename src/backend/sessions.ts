/** A bundle's graphs as sessions, the same set for every backend. */
import type { InferenceSession } from 'onnxruntime-web/wasm';
import type { Bundle } from '../bundle/bundle.ts';
import type { GraphFiles } from '../bundle/manifest.ts';
import type { BackendInfo } from './backend.ts';
import { openSession, type Ort, type Runner } from './ort.ts';

export interface Sessions {
  readonly t5: InferenceSession;
  readonly clip: InferenceSession;
  readonly trunk: readonly InferenceSession[];
  readonly head: InferenceSession;
  readonly decoder: InferenceSession;
}

/** Opens them one after another, as ONNX Runtime needs it; throws as `openSession`. */
export async function openSessions(
  runner: Runner,
  ort: Ort,
  bundle: Bundle,
  precision: BackendInfo['precision'],
  options: InferenceSession.SessionOptions,
): Promise<Sessions> {
  const { components } = bundle.manifest;
  const open = (files: GraphFiles) => openSession(runner, ort, bundle, files, options);
  const t5 = await open(components.t5[precision]);
  const clip = await open(components.clip[precision]);
  const trunk: InferenceSession[] = [];
  for (const segment of components.trunk[precision]) trunk.push(await open(segment));
  const head = await open(components.head[precision]);
  const decoder = await open(components.decoder[precision]);
  return { t5, clip, trunk, head, decoder };
}

export async function releaseSessions(
  runner: Runner,
  { t5, clip, trunk, head, decoder }: Sessions,
): Promise<void> {
  for (const session of [t5, clip, ...trunk, head, decoder]) {
    await runner.run(() => session.release());
  }
}
