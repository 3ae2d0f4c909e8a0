/** Prompt to token ids, as transformers' `padding="max_length", truncation=True`. */
import type { Tokenizer } from '@huggingface/tokenizers';
import type { TextTokens } from '../shared/text-tokens.ts';
import type { Bundle } from '../bundle/bundle.ts';
import { parseTokenizer } from '../bundle/tokenizer/parse.ts';
import { AppError } from '../shared/errors.ts';

const T5_PAD = '<pad>';
const T5_UNKNOWN = '<unk>';
const CLIP_END = '<|endoftext|>';

export interface Tokenizers {
  readonly t5: Tokenizer;
  readonly clip: Tokenizer;
}

/** Numbers of token ids that the bundle's text encoders take. */
export interface TextLengths {
  readonly t5Tokens: number;
  readonly clipTokens: number;
}

export async function loadTokenizers(bundle: Bundle): Promise<Tokenizers> {
  const load = async (path: string): Promise<Tokenizer> => {
    const text = new TextDecoder().decode(await bundle.read(path));
    return parseTokenizer(text, path);
  };
  const { t5, clip } = bundle.manifest.tokenizers;
  return { t5: await load(t5), clip: await load(clip) };
}

/** Ids of both encoders, padded or cut to their lengths; a cut text keeps its end token. */
export function tokenize(
  { t5, clip }: Tokenizers,
  prompt: string,
  { t5Tokens, clipTokens }: TextLengths,
): TextTokens {
  const end = idOf(clip, CLIP_END);
  // CLIP's text model pads with its end token, and pools at the first one.
  const clipIds = fit(clip.encode(prompt).ids, clipTokens, end);
  return {
    t5: fit(t5.encode(prompt).ids, t5Tokens, idOf(t5, T5_PAD)),
    clip: clipIds,
    clipEnd: clipIds.indexOf(end),
  };
}

/** The words of the prompt that the T5 vocabulary cannot spell, each once, in their order. */
export function unspelledWords({ t5 }: Tokenizers, prompt: string): string[] {
  const unknown = t5.token_to_id(T5_UNKNOWN);
  if (unknown === undefined) return [];
  const isUnknown = (word: string): boolean =>
    t5.encode(word, { add_special_tokens: false }).ids.includes(unknown);
  const words = prompt.split(/\s+/u).filter((word) => word !== '' && isUnknown(word));
  // Without its punctuation if the word itself is the problem.
  const bare = words.map((word) => {
    const inner = word.replace(/^\p{P}+|\p{P}+$/gu, '');
    return inner !== '' && isUnknown(inner) ? inner : word;
  });
  return [...new Set(bare)];
}

function fit(ids: readonly number[], length: number, pad: number): Int32Array {
  const fitted = new Int32Array(length).fill(pad);
  fitted.set(ids.slice(0, length));
  if (ids.length > length) fitted[length - 1] = ids.at(-1)!;
  return fitted;
}

function idOf(tokenizer: Tokenizer, token: string): number {
  const id = tokenizer.token_to_id(token);
  if (id === undefined) {
    throw new AppError(
      'bad-bundle',
      `A tokenizer of this bundle has no token ${token}.`,
      'Convert or download the bundle again.',
    );
  }
  return id;
}
