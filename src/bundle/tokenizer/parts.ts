/**
 * Parts of a tokenizer.json which the JavaScript library runs otherwise than the reference, as
 * combinations of parts which it runs alike.
 */

/** A normalizer or pre-tokenizer. */
export interface Part {
  readonly type: string;
  readonly normalizers?: readonly Part[];
  readonly pretokenizers?: readonly Part[];
  readonly strip_left?: boolean;
  readonly strip_right?: boolean;
  readonly add_prefix_space?: boolean;
  readonly use_regex?: boolean;
}

/** In patterns, the library takes \s as Unicode's white space, as the reference does everywhere. */
const replace = (Regex: string, content: string): Part =>
  ({ type: 'Replace', pattern: { Regex }, content }) as Part;
const matches = (Regex: string): Part =>
  ({ type: 'Split', pattern: { Regex }, behavior: 'Removed', invert: true }) as Part;
const between = (Regex: string): Part =>
  ({ type: 'Split', pattern: { Regex }, behavior: 'Removed', invert: false }) as Part;

export function normalizerLikeReference(part: Part): Part {
  switch (part.type) {
    case 'Sequence':
      return { ...part, normalizers: part.normalizers!.map(normalizerLikeReference) };
    case 'Lowercase':
      // Letter by letter: JavaScript alone has another small sigma at the end of a word.
      return { type: 'Sequence', normalizers: [replace('Σ', 'σ'), part] };
    case 'Strip':
      // JavaScript's trim takes U+FEFF for white space, and not U+0085.
      return {
        type: 'Sequence',
        normalizers: [
          ...(part.strip_left ? [replace('\\A\\s+', '')] : []),
          ...(part.strip_right ? [replace('(?<!\\s)\\s+\\z', '')] : []),
        ],
      };
    default:
      return part;
  }
}

/** GPT-2's words, which ByteLevel splits into before it spells them in bytes. */
const BYTE_LEVEL_WORDS =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

export function preTokenizerLikeReference(part: Part): Part {
  switch (part.type) {
    case 'Sequence':
      return { ...part, pretokenizers: part.pretokenizers!.map(preTokenizerLikeReference) };
    case 'WhitespaceSplit':
      return between('\\s+');
    case 'ByteLevel':
      if (part.add_prefix_space || part.use_regex === false) return part;
      return {
        type: 'Sequence',
        pretokenizers: [matches(BYTE_LEVEL_WORDS), { ...part, use_regex: false }],
      };
    default:
      return part;
  }
}
