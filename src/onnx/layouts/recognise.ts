/** Finds a model's parts in a file by the names of its tensors, whatever stands before the names. */
import { AppError } from '../../errors.ts';
import type { TensorSource } from '../tensors.ts';
import { autoencoderConfig, fromLdm, KL_SIGNATURE, LDM_SIGNATURE } from './autoencoder.ts';
import { unscaled } from './scaled.ts';
import { CLIP_SIGNATURE, clipConfig, T5_SIGNATURE, t5Config, t5Encoder } from './text-encoders.ts';
import { fromTae, isTaeDecoder, TAE_SIGNATURE, TINY_SIGNATURE, tinyConfig } from './tiny.ts';
import { BFL_SIGNATURE, DIFFUSERS_SIGNATURE, fromBfl, transformerConfig } from './transformer.ts';
import { below } from './view.ts';

export type PartKind = 'transformer' | 't5' | 'clip' | 'autoencoder' | 'tiny';

export interface OpenedPart {
  /** By the names that `ModelParts` says. */
  readonly tensors: TensorSource;
  /** What a config.json beside the tensors would say. @throws AppError `bad-checkpoint` */
  config(): Record<string, unknown>;
}

export interface FoundPart {
  readonly kind: PartKind;
  /** The file, and what the names begin with in it. */
  readonly where: string;
  /** @throws AppError `bad-checkpoint` if tensors are missing or do not fit one another. */
  open(): OpenedPart;
}

interface Layout {
  readonly kind: PartKind;
  /** A tensor that every file in this layout has. */
  readonly signature: string;
  readonly present: (tensors: TensorSource) => TensorSource;
  readonly config: (tensors: TensorSource) => Record<string, unknown>;
  /** Says no to other files that have the signature. */
  readonly fits?: (tensors: TensorSource) => boolean;
}

const asIs = (tensors: TensorSource): TensorSource => tensors;

const LAYOUTS: readonly Layout[] = [
  {
    kind: 'transformer',
    signature: DIFFUSERS_SIGNATURE,
    present: asIs,
    config: transformerConfig,
  },
  { kind: 'transformer', signature: BFL_SIGNATURE, present: fromBfl, config: transformerConfig },
  { kind: 't5', signature: T5_SIGNATURE, present: t5Encoder, config: t5Config },
  { kind: 'clip', signature: CLIP_SIGNATURE, present: asIs, config: clipConfig },
  { kind: 'autoencoder', signature: KL_SIGNATURE, present: asIs, config: autoencoderConfig },
  { kind: 'autoencoder', signature: LDM_SIGNATURE, present: fromLdm, config: autoencoderConfig },
  { kind: 'tiny', signature: TINY_SIGNATURE, present: asIs, config: tinyConfig },
  {
    kind: 'tiny',
    signature: TAE_SIGNATURE,
    present: fromTae,
    config: tinyConfig,
    fits: isTaeDecoder,
  },
];

/** All parts that a file holds; none for a file of something else. */
export function partsIn(checkpoint: TensorSource): FoundPart[] {
  const parts: FoundPart[] = [];
  for (const name of checkpoint.names()) {
    for (const layout of LAYOUTS) {
      const prefix = prefixOf(name, layout.signature);
      if (prefix === undefined) continue;
      const stored = below(checkpoint, prefix);
      if (layout.fits && !layout.fits(stored)) continue;
      parts.push({
        kind: layout.kind,
        where: prefix === '' ? checkpoint.where : `${checkpoint.where} (${prefix}*)`,
        open: () => open(layout, stored),
      });
    }
  }
  return parts;
}

/** What stands before `signature` in a name that ends in it: nothing, or whole modules. */
function prefixOf(name: string, signature: string): string | undefined {
  if (!name.endsWith(signature)) return undefined;
  const prefix = name.slice(0, -signature.length);
  return prefix === '' || prefix.endsWith('.') ? prefix : undefined;
}

function open({ present, config }: Layout, stored: TensorSource): OpenedPart {
  refuseQuantized(stored);
  const tensors = present(unscaled(stored));
  return { tensors, config: () => config(tensors) };
}

/** bitsandbytes keeps matrices as 4-bit codes, with the tables that they need beside them. */
function refuseQuantized(tensors: TensorSource): void {
  for (const name of tensors.names()) {
    if (!/\.(absmax|quant_map|quant_state\.\w+|SCB)$/.test(name)) continue;
    throw new AppError(
      'bad-checkpoint',
      `${tensors.where}: ${name} says that the file was quantized by bitsandbytes.`,
      'Take the model in float16, bfloat16 or float8 instead.',
    );
  }
}
