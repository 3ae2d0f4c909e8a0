/** The number of blocks is stated twice, by config.json and by the weights: both must agree. */
import { AppError } from '../../shared/errors.ts';
import type { AutoencoderConfig } from './autoencoder-config.ts';
import type { PipelineConfigs } from './configs.ts';
import type { Part, Parts } from './layouts/parts.ts';
import { MISMATCH } from './tensors.ts';

/** @throws AppError `bad-checkpoint` that names the field and the file of the weights */
export function checkBlocks(parts: Parts, configs: PipelineConfigs): void {
  const { flux, t5, clip, autoencoder } = configs;
  check('transformer/config.json', parts.transformer, { ...flux });
  check('text_encoder_2/config.json', parts.t5, { ...t5 });
  check('text_encoder/config.json', parts.clip, { ...clip });
  check('vae/config.json', parts.autoencoder, fieldsOf(autoencoder));
}

function fieldsOf(config: AutoencoderConfig): Record<string, unknown> {
  return config._class_name === 'AutoencoderKL'
    ? { ...config, 'block_out_channels.length': config.block_out_channels.length }
    : { ...config };
}

function check(path: string, { where, blocks }: Part, config: Record<string, unknown>): void {
  for (const [field, count] of Object.entries(blocks)) {
    const stated = config[field];
    if (String(stated) === String(count)) continue;
    throw new AppError(
      'bad-checkpoint',
      `${path}: ${field} is ${String(stated)}, but the weights in ${where} are of ${String(count)}.`,
      MISMATCH,
    );
  }
}
