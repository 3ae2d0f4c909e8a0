/** Finds a model's parts in a file by the names of its tensors, whatever stands before the names. */
import { AppError } from '../../../shared/errors.ts';
import type { TensorSource } from '../tensors.ts';
import {
  autoencoderConfig,
  fromLdm,
  KL_NUMBERING,
  KL_SIGNATURE,
  klBlocks,
  LDM_NUMBERING,
  LDM_SIGNATURE,
} from './autoencoder.ts';
import { checkNumbering, type Numbering } from './numbering.ts';
import { unscaled } from './scaled.ts';
import {
  CLIP_NUMBERING,
  CLIP_SIGNATURE,
  clipBlocks,
  clipConfig,
  T5_NUMBERING,
  T5_SIGNATURE,
  t5Blocks,
  t5Config,
  t5Encoder,
} from './text-encoders.ts';
import {
  fromTae,
  isTaeDecoder,
  TAE_SIGNATURE,
  TINY_SIGNATURE,
  tinyBlocks,
  tinyConfig,
} from './tiny.ts';
import {
  BFL_NUMBERING,
  BFL_SIGNATURE,
  DIFFUSERS_NUMBERING,
  DIFFUSERS_SIGNATURE,
  fromBfl,
  refuseImageInput,
  transformerBlocks,
  transformerConfig,
} from './transformer.ts';
import { below } from './view.ts';

export type PartKind = 'transformer' | 't5' | 'clip' | 'autoencoder' | 'tiny';

export interface OpenedPart {
  /** By the names that `ModelParts` says. */
  readonly tensors: TensorSource;
  /** What a config.json beside the tensors would say. @throws AppError `bad-checkpoint` */
  config(): Record<string, unknown>;
  /** How many blocks the weights have, by the fields of config.json that say so. */
  blocks(): Blocks;
}

/** Fields of a config.json, and what they must be. */
export type Blocks = Readonly<Record<string, number | readonly number[]>>;

export interface FoundPart {
  readonly kind: PartKind;
  /** The file, and what the names begin with in it. */
  readonly where: string;
  /** @throws AppError `bad-checkpoint` if tensors are missing or do not fit one another. */
  open(): OpenedPart;
}

interface Layout {
  readonly kind: PartKind;
  /** Matches a tensor that every file in this layout has, whichever blocks it lacks. */
  readonly signature: RegExp;
  readonly numbering?: Numbering;
  readonly present: (tensors: TensorSource) => TensorSource;
  readonly config: (tensors: TensorSource) => Record<string, unknown>;
  readonly blocks: (tensors: TensorSource) => Blocks;
  /** Throws for weights that graphs cannot be made of. */
  readonly check?: (tensors: TensorSource) => void;
  /** Says no to other files that have the signature. */
  readonly fits?: (tensors: TensorSource) => boolean;
}

const asIs = (tensors: TensorSource): TensorSource => tensors;

const LAYOUTS: readonly Layout[] = [
  {
    kind: 'transformer',
    signature: DIFFUSERS_SIGNATURE,
    numbering: DIFFUSERS_NUMBERING,
    present: asIs,
    config: transformerConfig,
    blocks: transformerBlocks,
    check: refuseImageInput,
  },
  {
    kind: 'transformer',
    signature: BFL_SIGNATURE,
    numbering: BFL_NUMBERING,
    present: fromBfl,
    config: transformerConfig,
    blocks: transformerBlocks,
    check: refuseImageInput,
  },
  {
    kind: 't5',
    signature: T5_SIGNATURE,
    numbering: T5_NUMBERING,
    present: t5Encoder,
    config: t5Config,
    blocks: t5Blocks,
  },
  {
    kind: 'clip',
    signature: CLIP_SIGNATURE,
    numbering: CLIP_NUMBERING,
    present: asIs,
    config: clipConfig,
    blocks: clipBlocks,
  },
  {
    kind: 'autoencoder',
    signature: KL_SIGNATURE,
    numbering: KL_NUMBERING,
    present: asIs,
    config: autoencoderConfig,
    blocks: klBlocks,
  },
  {
    kind: 'autoencoder',
    signature: LDM_SIGNATURE,
    numbering: LDM_NUMBERING,
    present: fromLdm,
    config: autoencoderConfig,
    blocks: klBlocks,
  },
  {
    kind: 'tiny',
    signature: TINY_SIGNATURE,
    present: asIs,
    config: tinyConfig,
    blocks: tinyBlocks,
  },
  {
    kind: 'tiny',
    signature: TAE_SIGNATURE,
    present: fromTae,
    config: tinyConfig,
    blocks: tinyBlocks,
    fits: isTaeDecoder,
  },
];

/** All parts that a file holds; none for a file of something else. */
export function partsIn(checkpoint: TensorSource): FoundPart[] {
  const parts: FoundPart[] = [];
  for (const [prefix, layout] of placesIn(checkpoint)) {
    const stored = below(checkpoint, prefix);
    if (layout.fits && !layout.fits(stored)) continue;
    parts.push({
      kind: layout.kind,
      where: prefix === '' ? checkpoint.where : `${checkpoint.where} (${prefix}*)`,
      open: () => open(layout, stored),
    });
  }
  return parts;
}

/** What stands before the names of each part, in the order of the file, and the part's layout. */
function* placesIn(checkpoint: TensorSource): Generator<[prefix: string, layout: Layout]> {
  const known = new Set<string>();
  for (const name of checkpoint.names()) {
    for (const [i, layout] of LAYOUTS.entries()) {
      const prefix = prefixOf(name, layout.signature);
      if (prefix === undefined || known.has(`${i} ${prefix}`)) continue;
      known.add(`${i} ${prefix}`);
      yield [prefix, layout];
    }
  }
}

/** What stands before the signature in a name that ends in it: nothing, or whole modules. */
function prefixOf(name: string, signature: RegExp): string | undefined {
  const match = signature.exec(name);
  if (!match) return undefined;
  const prefix = name.slice(0, match.index);
  return prefix === '' || prefix.endsWith('.') ? prefix : undefined;
}

function open(
  { numbering, present, config, blocks, check }: Layout,
  stored: TensorSource,
): OpenedPart {
  refuseQuantized(stored);
  if (numbering) checkNumbering(stored, numbering);
  const tensors = present(unscaled(stored));
  check?.(tensors);
  return { tensors, config: () => config(tensors), blocks: () => blocks(tensors) };
}

/** What quantized files keep beside their codes, by the program that quantized them. */
const QUANTIZERS: readonly (readonly [ending: RegExp, program: string])[] = [
  [/\.(?:absmax|quant_map|quant_state\.\w+|SCB)$/, 'bitsandbytes'],
  [/\.(?:wscales|wtscale|wcscales|smooth_factor)$/, 'SVDQuant (Nunchaku)'],
  [/\.qzeros$/, 'GPTQ or AWQ'],
  [/\.weight\._(?:data|scale)$/, 'optimum-quanto'],
  [/\.weight_scale_2$/, 'NVFP4'],
];

/** @throws AppError `bad-checkpoint` for matrices kept as codes with tables beside them */
function refuseQuantized(tensors: TensorSource): void {
  for (const name of tensors.names()) {
    const [, program] = QUANTIZERS.find(([ending]) => ending.test(name)) ?? [];
    if (program === undefined) continue;
    throw new AppError(
      'bad-checkpoint',
      `${tensors.where}: ${name} shows that the file was quantized by ${program}.`,
      'Use the model in float16, bfloat16 or float8 instead.',
    );
  }
}
