/** Where a diffusers folder keeps its parts. */
import type { PartKind } from './recognise.ts';

export interface PartFolder {
  readonly folder: string;
  /** What the names of its weight files begin with. */
  readonly stem: string;
}

export const FOLDERS: Readonly<Record<Exclude<PartKind, 'tiny'>, PartFolder>> = {
  transformer: { folder: 'transformer', stem: 'diffusion_pytorch_model' },
  t5: { folder: 'text_encoder_2', stem: 'model' },
  clip: { folder: 'text_encoder', stem: 'model' },
  autoencoder: { folder: 'vae', stem: 'diffusion_pytorch_model' },
};

/** An AutoencoderTiny for previews, beside the autoencoder. */
export const PREVIEW_FOLDERS: readonly PartFolder[] = ['vae_preview', 'taef1'].map((folder) => ({
  folder,
  stem: 'diffusion_pytorch_model',
}));

/** Files and indices that a part's weights may be in, the preferred first. */
export function weightFiles(folder: string, stem: string): string[] {
  return ['', 'bf16', 'fp16'].flatMap((variant) => {
    const dotted = variant && `.${variant}`;
    return [
      `${folder}/${stem}.safetensors.index${dotted}.json`,
      `${folder}/${stem}${dotted}.safetensors`,
    ];
  });
}
