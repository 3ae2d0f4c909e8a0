/** What a bundle says of itself, from files that the pipeline folder may hold beside the weights. */
import * as v from 'valibot';
import { manifestSchema, type Manifest } from '../bundle/manifest.ts';
import { readConfig } from './configs.ts';
import type { Source } from './files.ts';

export type Description = Pick<
  Manifest,
  'title' | 'licence' | 'source' | 'examples' | 'sizes' | 'defaults' | 'preview'
>;

const { title, licence, source, examples, sizes, defaults, preview } = manifestSchema.entries;

/** bundle.json: any of the manifest's descriptive fields. */
const bundleFile = v.partial(v.object({ title, licence, source, examples, sizes, defaults }));

const FALLBACK: Description = {
  title: 'Converted FLUX model',
  licence: 'That of the checkpoint it was converted from',
  source: 'A diffusers FLUX pipeline folder',
  examples: [],
  sizes: [
    { width: 512, height: 512 },
    { width: 1024, height: 1024 },
  ],
  defaults: { steps: 50 },
};

/** Reads `bundle.json` and `preview.json` where they exist. */
export async function readDescription(from: Source): Promise<Description> {
  const given = (await from.has('bundle.json'))
    ? await readConfig(from, 'bundle.json', bundleFile)
    : {};
  const factors = (await from.has('preview.json'))
    ? { preview: await readConfig(from, 'preview.json', v.unwrap(preview)) }
    : {};
  return { ...FALLBACK, ...given, ...factors };
}
