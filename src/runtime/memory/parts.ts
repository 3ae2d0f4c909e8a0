/** A model's components cut into the pieces that are resident or not, each a session of its own. */
import { entryOf, type Precision } from '../../bundle/files.ts';
import type { GraphFiles, Manifest } from '../../bundle/manifest.ts';
import type { Stage } from './activations.ts';

export type ComponentName = keyof Manifest['components'];

export interface Part {
  readonly component: ComponentName;
  /** Which segment of the component, from 0. */
  readonly segment: number;
  readonly segments: number;
  readonly files: GraphFiles;
  /** What its files have together: weights take about as much where they run. */
  readonly bytes: number;
  readonly stage: Stage;
}

/** As people call them. */
const WORDS: Record<ComponentName, string> = {
  t5: 'text encoder T5',
  clip: 'text encoder CLIP',
  trunk: 'transformer',
  head: "transformer's head",
  decoder: 'picture decoder',
  encoder: 'picture encoder',
  previewer: 'preview decoder',
};

const STAGES: Record<ComponentName, Stage> = {
  t5: 'text',
  clip: 'text',
  trunk: 'denoise',
  head: 'denoise',
  decoder: 'decode',
  // The same layers as the decoder's, the other way round.
  encoder: 'decode',
  previewer: 'preview',
};

/** In the order in which a picture needs them. */
const ORDER = ['t5', 'clip', 'encoder', 'trunk', 'head', 'previewer', 'decoder'] as const;

/** All parts that there are, in the order in which a picture needs them. */
export function partsOf(manifest: Manifest, precision: Precision): Part[] {
  return ORDER.flatMap((component) => {
    const files = manifest.components[component]?.[precision];
    if (!files) return [];
    const list = Array.isArray(files) ? files : [files];
    return list.map((piece, segment) => ({
      component,
      segment,
      segments: list.length,
      files: piece,
      bytes: bytesOf(manifest, piece),
      stage: STAGES[component],
    }));
  });
}

function bytesOf(manifest: Manifest, { graph, data }: GraphFiles): number {
  return [graph, ...data].reduce((sum, path) => sum + entryOf(manifest, path).bytes, 0);
}

export function componentWords(component: ComponentName): string {
  return WORDS[component];
}

/** Such as "text encoder T5, part 2 of 5". */
export function partWords({ component, segment, segments }: Part): string {
  return segments === 1
    ? WORDS[component]
    : `${WORDS[component]}, part ${segment + 1} of ${segments}`;
}
