/**
 * What a model needs in memory beside its weights: an allowance, since ONNX Runtime does not tell.
 * It is counted from the sizes of tensors that are alive together, for the largest picture that
 * the model offers.
 */
import type { Manifest } from '../../bundle/manifest.ts';
import type { Precision } from '../../bundle/files.ts';
import { MAX_ANCHORS } from '../../forecast/settings.ts';

/** Parts of a picture's making, by what must be resident in them. */
export type Stage = 'text' | 'denoise' | 'preview' | 'decode';

const BYTES: Record<Precision, number> = { float32: 4, float16: 2 };

/**
 * Tensors of tokens x width. T5: the feed-forward's two of 2.5 widths, queries, keys, values, and
 * 64 heads' scores, always in float32.
 */
const TEXT_TENSORS = 24;
/** A single block: queries, keys, values, the feed-forward of 4 widths twice, and what is joined. */
const TRUNK_TENSORS = 16;
/**
 * Channels at the picture's full size: AutoencoderKL's last stage has 256 twice and 128 beside
 * them, a tiny autoencoder's 64 three times. The manifest does not say which it is; their bytes do.
 */
const CHANNELS = { large: 640, tiny: 192 } as const;
const TINY_BYTES = 16 * 2 ** 20;

/** Bytes beside the weights, by stage. */
export function activationBytes(
  { transformer, text, autoencoder, sizes, files, components }: Manifest,
  precision: Precision,
): Record<Stage, number> {
  const { hidden, textWidth, latentWidth } = transformer;
  const bytes = BYTES[precision];
  const pixels = Math.max(...sizes.map(({ width, height }) => width * height));
  // A token is a square of latents, and a latent a square of pixels.
  const latentsPerToken = latentWidth / autoencoder.latentChannels;
  const imageTokens = pixels / (latentsPerToken * autoencoder.downscale ** 2);
  // The ring of anchors and the forecast.
  const run = (MAX_ANCHORS + 2) * imageTokens * hidden * bytes;
  const decoder = components.decoder[precision].data;
  const decoderBytes = decoder.reduce((sum, path) => sum + (files[path]?.bytes ?? 0), 0);
  const channels = decoderBytes > TINY_BYTES ? CHANNELS.large : CHANNELS.tiny;
  return {
    text: TEXT_TENSORS * text.t5Tokens * textWidth * 4,
    denoise: run + TRUNK_TENSORS * (imageTokens + text.t5Tokens) * hidden * bytes,
    preview: run + CHANNELS.tiny * pixels * bytes,
    decode: run + channels * pixels * bytes,
  };
}
