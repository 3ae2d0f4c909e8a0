/** Reads what training/goldens.py wrote. */
import { readText } from '../../src/convert/files.ts';
import { openCheckpoint } from '../../src/convert/checkpoint/safetensors.ts';
import { FolderSource } from '../../src/node/source-folder.ts';

/** Names of the rotary tables for one size of picture. */
interface RotaryNames {
  readonly rotaryCos: string;
  readonly rotarySin: string;
}

/** A name of an array is its key in goldens.safetensors. */
export interface GoldenIndex {
  readonly texts: readonly {
    readonly prompt: string;
    readonly t5Ids: readonly number[];
    readonly clipIds: readonly number[];
    readonly clipEnd: number;
    readonly text: string;
    readonly pooled: string;
  }[];
  readonly trunk: readonly (RotaryNames & {
    readonly sigma: number;
    /** Index into `texts`. */
    readonly prompt: number;
    /** Null for a model that takes none. */
    readonly guidance: number | null;
    readonly latents: string;
    readonly features: string;
    readonly velocity: string;
  })[];
  readonly loops: readonly (RotaryNames & {
    readonly prompt: number;
    readonly seed: number;
    readonly steps: number;
    readonly guidance: number | null;
    readonly width: number;
    readonly height: number;
    readonly sigmas: readonly number[];
    readonly start: string;
    readonly final: string;
    readonly image: string;
    /** A PNG file in the folder. */
    readonly picture: string;
  })[];
}

export interface GoldenArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Goldens {
  readonly index: GoldenIndex;
  array(name: string): Promise<GoldenArray>;
}

export async function openGoldens(folder: string): Promise<Goldens> {
  const source = new FolderSource(folder);
  const index = JSON.parse(await readText(source, 'goldens.json')) as GoldenIndex;
  const checkpoint = await openCheckpoint(source, '.', 'goldens');
  return {
    index,
    async array(name) {
      return { shape: checkpoint.shape(name), data: await checkpoint.read(name) };
    },
  };
}
