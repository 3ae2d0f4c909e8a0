/** What a bundle says of itself, from files that may lie beside the weights. */
import * as v from 'valibot';
import { manifestSchema, type Manifest } from '../../bundle/manifest.ts';
import { readConfig } from './configs.ts';
import { readText, type Source } from '../files.ts';

export type Description = Pick<
  Manifest,
  'title' | 'licence' | 'source' | 'examples' | 'sizes' | 'defaults' | 'preview'
>;

/** What is known of a model without such files. */
export interface Known {
  readonly title?: string | undefined;
  /** Whether it takes a guidance scale, as FLUX.1-dev does. */
  readonly guidance?: boolean;
}

const { title, licence, source, examples, sizes, defaults, preview } = manifestSchema.entries;

/** bundle.json: any of the manifest's descriptive fields. */
const bundleFile = v.partial(v.object({ title, licence, source, examples, sizes, defaults }));

/** The first is offered first. Sides of latents are even. */
const SIZES = [
  { width: 512, height: 512 },
  { width: 768, height: 768 },
  { width: 1024, height: 1024 },
  { width: 1248, height: 832 },
  { width: 832, height: 1248 },
];

/** What Black Forest Labs recommend for FLUX.1-dev, and for FLUX.1-schnell. */
const GUIDED = { steps: 28, guidance: 3.5 };
const DISTILLED = { steps: 4 };

/** Reads `bundle.json`, `preview.json` and the licence in `README.md` where they exist. */
export async function readDescription(from: Source, known: Known = {}): Promise<Description> {
  const given = (await from.has('bundle.json'))
    ? await readConfig(from, 'bundle.json', bundleFile)
    : {};
  const factors = (await from.has('preview.json'))
    ? { preview: await readConfig(from, 'preview.json', v.unwrap(preview)) }
    : {};
  const address = from.name?.includes('://') ? from.name : undefined;
  return {
    title: known.title ?? shortName(from.name) ?? 'Converted FLUX model',
    licence: (await licenceIn(from)) ?? 'That of the checkpoint it was converted from',
    source: address ?? `A FLUX checkpoint${from.name ? `, ${from.name}` : ''}`,
    examples: [],
    sizes: SIZES,
    defaults: known.guidance ? GUIDED : DISTILLED,
    ...given,
    ...factors,
  };
}

/** The last part of an address or a path, without its ending. */
function shortName(name: string | undefined): string | undefined {
  const last = name?.replace(/\/+$/, '').split('/').at(-1);
  return last?.replace(/\.safetensors$/, '') || undefined;
}

/** A model card says its licence between two lines of dashes at its beginning. */
async function licenceIn(from: Source): Promise<string | undefined> {
  if (!(await from.has('README.md'))) return undefined;
  const [, front = ''] = /^---\r?\n(.*?)\r?\n---/s.exec(await readText(from, 'README.md')) ?? [];
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:[ \\t]*["']?(.*?)["']?[ \\t]*\\r?$`, 'm').exec(front)?.[1] || undefined;
  const licence = field('license');
  // Licences that the hub does not know are called "other" there, with their names beside.
  return licence === 'other' ? (field('license_name') ?? licence) : licence;
}
