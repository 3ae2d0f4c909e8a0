/** diffusers' FluxTransformerBlock: text and image with weights of their own, one attention. */
import type { Value } from '../builder.ts';
import type { Layers } from '../layers.ts';
import { attend, project, type Rotary } from './attention.ts';
import { gatedAdd, modulatedNorm, modulation, type Role } from './modulation.ts';

const CHUNKS: readonly Role[] = ['shift', 'scale', 'gate', 'shift', 'scale', 'gate'];

export interface Streams {
  readonly text: Value;
  readonly image: Value;
}

export async function doubleBlock(
  layers: Layers,
  { text, image }: Streams,
  conditioning: Value,
  rotary: Rotary,
  size: { readonly heads: number; readonly textTokens: number },
  module: string,
): Promise<Streams> {
  const { graph } = layers;
  const { heads, textTokens } = size;
  const attn = `${module}.attn`;

  const imageStream = await openStream(layers, image, conditioning, `${module}.norm1`);
  const textStream = await openStream(layers, text, conditioning, `${module}.norm1_context`);
  const imageParts = await project(layers, imageStream.normed, imageNames(attn), heads);
  const textParts = await project(layers, textStream.normed, textNames(attn), heads);

  graph.within(attn);
  const join = (one: Value, other: Value): Value => graph.op('Concat', [one, other], { axis: 1 });
  const joined = {
    query: join(textParts.query, imageParts.query),
    key: join(textParts.key, imageParts.key),
    value: join(textParts.value, imageParts.value),
  };
  const attended = attend(layers, joined, rotary, heads, attn);
  const attendedText = layers.slice(attended, 1, 0, textTokens);
  const attendedImage = layers.slice(attended, 1, textTokens, Number.MAX_SAFE_INTEGER);

  const nextImage = await closeStream(
    layers,
    imageStream,
    await layers.linear(attendedImage, `${attn}.to_out.0`),
    `${module}.ff`,
  );
  const nextText = await closeStream(
    layers,
    textStream,
    await layers.linear(attendedText, `${attn}.to_add_out`),
    `${module}.ff_context`,
  );
  // A few channels of the text grow beyond half precision; diffusers clips them there, too.
  return { image: nextImage, text: layers.finite(nextText) };
}

interface OpenStream {
  readonly residual: Value;
  readonly normed: Value;
  readonly attentionGate: Value;
  readonly shift: Value;
  readonly onePlusScale: Value;
  readonly gate: Value;
}

async function openStream(
  layers: Layers,
  x: Value,
  conditioning: Value,
  norm: string,
): Promise<OpenStream> {
  const chunks = await modulation(layers, conditioning, `${norm}.linear`, CHUNKS);
  const [attentionShift, attentionScale, attentionGate, shift, onePlusScale, gate] = chunks as [
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  layers.graph.within(norm);
  const normed = modulatedNorm(layers, x, attentionScale, attentionShift);
  return { residual: x, normed, attentionGate, shift, onePlusScale, gate };
}

/** Adds the attention's result, then the feed-forward's. */
async function closeStream(
  layers: Layers,
  stream: OpenStream,
  attended: Value,
  feedForward: string,
): Promise<Value> {
  const { graph } = layers;
  const x = gatedAdd(layers, stream.residual, stream.attentionGate, attended);
  const normed = modulatedNorm(layers, x, stream.onePlusScale, stream.shift);
  const wide = await layers.linear(normed, `${feedForward}.net.0.proj`);
  const narrow = await layers.linear(graph.op('FastGelu', [wide]), `${feedForward}.net.2`);
  return gatedAdd(layers, x, stream.gate, narrow);
}

const imageNames = (attn: string) => ({
  query: `${attn}.to_q`,
  key: `${attn}.to_k`,
  value: `${attn}.to_v`,
  queryNorm: `${attn}.norm_q`,
  keyNorm: `${attn}.norm_k`,
});

const textNames = (attn: string) => ({
  query: `${attn}.add_q_proj`,
  key: `${attn}.add_k_proj`,
  value: `${attn}.add_v_proj`,
  queryNorm: `${attn}.norm_added_q`,
  keyNorm: `${attn}.norm_added_k`,
});
