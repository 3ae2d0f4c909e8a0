/** Which files a bundle's components are made of. */
import { AppError } from '../shared/errors.ts';
import type { GraphFiles, Manifest } from './manifest.ts';

export type Precision = 'float32' | 'float16';

/** All files that a backend of this precision reads, each once. */
export function filesOf(
  { components, tokenizers, vocabulary }: Manifest,
  precision: Precision,
): string[] {
  const { t5, clip, trunk, head, decoder, encoder, previewer } = components;
  const graphs: GraphFiles[] = [
    ...t5[precision],
    clip[precision],
    ...trunk[precision],
    head[precision],
    decoder[precision],
    ...(encoder ? [encoder[precision]] : []),
    ...(previewer ? [previewer[precision]] : []),
  ];
  const paths = graphs.flatMap(({ graph, data }) => [graph, ...data]);
  const texts = [tokenizers.t5, tokenizers.clip, ...(vocabulary === undefined ? [] : [vocabulary])];
  return [...new Set([...texts, ...paths])];
}

/** What a file is for, in words. */
export function purposeOf({ components, vocabulary }: Manifest, path: string): string {
  const { t5, clip, trunk, head, decoder, encoder, previewer } = components;
  const belongsTo = (...graphs: GraphFiles[]): boolean =>
    graphs.some(({ graph, data }) => graph === path || data.includes(path));
  if (belongsTo(...t5.float32, ...t5.float16, clip.float32, clip.float16)) return 'text encoders';
  if (belongsTo(...trunk.float32, ...trunk.float16)) return 'transformer';
  if (belongsTo(head.float32, head.float16)) return 'transformer';
  if (belongsTo(decoder.float32, decoder.float16)) return 'picture decoder';
  if (encoder && belongsTo(encoder.float32, encoder.float16)) return 'picture encoder';
  if (previewer && belongsTo(previewer.float32, previewer.float16)) return 'preview decoder';
  return path === vocabulary ? 'vocabulary' : 'tokenizers';
}

/** @throws AppError `bad-bundle` if a component names a file that `files` does not list. */
export function checkComplete(manifest: Manifest, where: string): void {
  const named = [...filesOf(manifest, 'float32'), ...filesOf(manifest, 'float16')];
  const missing = named.find((path) => !Object.hasOwn(manifest.files, path));
  if (missing !== undefined) {
    throw new AppError(
      'bad-bundle',
      `${where} names ${missing} but does not list it under "files".`,
      'Convert or download the bundle again.',
    );
  }
}

/** What the manifest says of a file. @throws AppError `bad-bundle` if it is not listed. */
export function entryOf(manifest: Manifest, path: string): Manifest['files'][string] {
  const entry = Object.hasOwn(manifest.files, path) ? manifest.files[path] : undefined;
  if (entry === undefined) {
    throw new AppError(
      'bad-bundle',
      `The bundle has no file ${path}.`,
      'Convert or download the bundle again.',
    );
  }
  return entry;
}
