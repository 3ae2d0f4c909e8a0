/**
 * A whole FLUX.1-dev of very small widths: tests/golden/tiny-flux, made by training/tiny_flux.py, which
 * says how its weights are drawn. Its files as diffusers saves them, and as ComfyUI's users keep them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { floatsToHalves } from '../../../src/shared/half.ts';
import { safetensorsFile } from '../convert/memory.ts';

/** Bytes by path. */
export type Files = ReadonlyMap<string, Uint8Array>;

const GOLDEN = fileURLToPath(new URL('../../golden/', import.meta.url));
const FOLDER = join(GOLDEN, 'tiny-flux');

type Shape = readonly number[];
/** Of a tensor that is drawn: the i-th number is offset + 2^exponent * x, x in [-1, 1). */
type Drawn = readonly [shape: Shape, exponent: number, offset: number];
/** Of a single file's tensor: its rows, one after another, by the tensors that diffusers has. */
type Assembled = readonly [shape: Shape, rows: readonly [name: string, from: number, to: number][]];

const WEIGHT_FILES = {
  transformer: 'diffusion_pytorch_model.safetensors',
  vae: 'diffusion_pytorch_model.safetensors',
  text_encoder: 'model.safetensors',
  text_encoder_2: 'model.safetensors',
} as const;

export interface GoldenPicture {
  readonly prompt: string;
  readonly seed: number;
  readonly guidance: number;
  readonly steps: number;
  readonly width: number;
  readonly height: number;
}

/** What FluxPipeline was asked for; its latents and pictures lie beside, by number. */
export const goldenPictures = json('goldens.json') as readonly GoldenPicture[];
export const goldenFolder = FOLDER;

/** The folder as diffusers saves it. */
export function diffusersFiles(): Files {
  const weights = Object.entries(WEIGHT_FILES).map(([part, file]): [string, Uint8Array] => [
    `${part}/${file}`,
    float16File(partTensors(part)),
  ]);
  return new Map([...configurations(), ...tokenizerFiles(), ...weights]);
}

/** flux1-dev.safetensors in Black Forest Labs' names, ae, clip_l and t5xxl_fp16. */
export function singleFiles(): Files {
  const parts = Object.keys(WEIGHT_FILES);
  const all = new Map<string, Halves>(
    parts.flatMap((part) =>
      [...partTensors(part)].map(([name, tensor]) => [`${part}/${name}`, tensor] as const),
    ),
  );
  const index = json('single.json') as Record<string, Record<string, Assembled>>;
  return new Map(
    Object.entries(index).map(([file, tensors]) => {
      const assembled = Object.entries(tensors).map(([name, [shape, rows]]) => {
        const values = rows.flatMap(([ours, from, to]) => {
          const { shape: whole, values } = all.get(ours)!;
          const width = values.length / whole[0]!;
          return [...values.subarray(from * width, to * width)];
        });
        return [name, { shape, values: Uint16Array.from(values) }] as const;
      });
      return [file, float16File(new Map(assembled))];
    }),
  );
}

/** What single files lack: tokenizers with their lengths, and bundle.json. */
export function filesBesideSingle(): Files {
  const own = configurations().filter(([path]) => /^(tokenizer|bundle\.json$)/.test(path));
  return new Map([...own, ...tokenizerFiles()]);
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

interface Halves {
  readonly shape: Shape;
  readonly values: Uint16Array;
}

/** A part's tensors by diffusers' names. */
function partTensors(part: string): ReadonlyMap<string, Halves> {
  const index = (json('weights.json') as Record<string, Record<string, Drawn>>)[part]!;
  return new Map(
    Object.entries(index).map(([name, [shape, exponent, offset]]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const values = drawn(`${part}/${name}`, count, 2 ** exponent, offset);
      return [name, { shape, values: floatsToHalves(values) }];
    }),
  );
}

/** `draw` of training/tiny_flux.py. */
function drawn(name: string, count: number, scale: number, offset: number): Float32Array {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (Math.imul(i, 0x9e3779b1) + seed) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    return offset + (scale * ((h >>> 22) - 512)) / 512;
  });
}

function float16File(tensors: ReadonlyMap<string, Halves>): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    const begin = end;
    end += values.byteLength;
    header[name] = { dtype: 'F16', shape, data_offsets: [begin, end] };
  }
  const data = new Uint16Array(end / 2);
  let filled = 0;
  for (const { values } of tensors.values()) {
    data.set(values, filled);
    filled += values.length;
  }
  return safetensorsFile(header, new Uint8Array(data.buffer));
}

function configurations(): [string, Uint8Array][] {
  const folder = join(FOLDER, 'diffusers');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [relative(folder, path).split(sep).join('/'), readFileSync(path)]);
}

function tokenizerFiles(): [string, Uint8Array][] {
  const file = (name: string): Uint8Array => readFileSync(join(GOLDEN, 'tokenizers', name));
  return [
    ['tokenizer/vocab.json', file('vocab.json')],
    ['tokenizer/merges.txt', file('merges.txt')],
    ['tokenizer_2/spiece.model', file('spiece.model')],
  ];
}

function json(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}
