/** A CLIP tokenizer.json from vocab.json and merges.txt, as transformers' CLIPTokenizer makes it. */
import { CLIP_END, CLIP_START } from './check.ts';
import { isObject } from './source.ts';
import { addedToken, checkMerge, FieldError, type Merge, type Vocabulary } from './vocabulary.ts';

/** Words as CLIP has them: contractions, letters in a row, single digits, other signs in a row. */
const WORDS =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** Whether a vocab.json is CLIP's and not, say, GPT-2's. */
export function isClipVocabulary(vocab: unknown): vocab is Record<string, unknown> {
  return isObject(vocab) && Object.hasOwn(vocab, CLIP_START) && Object.hasOwn(vocab, CLIP_END);
}

/**
 * @param vocab ids by token
 * @param merges pairs of tokens, most frequent first
 */
export function clipFromMerges(vocab: Vocabulary, merges: readonly Merge[]): string {
  const start = vocab.get(CLIP_START)!;
  const end = vocab.get(CLIP_END)!;
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [addedToken(start, CLIP_START, true), addedToken(end, CLIP_END, true)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORDS }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [CLIP_END, end],
      cls: [CLIP_START, start],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: CLIP_END,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges,
    },
  });
}

/**
 * The pairs that merges.txt has, one a line.
 * @throws FieldError that begins with the line.
 */
export function parseMerges(text: string, vocab: Vocabulary): Merge[] {
  const pairs: Merge[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (line === '' || line.startsWith('#version')) return;
    const [left, right, ...rest] = line.split(' ');
    if (!left || !right || rest.length > 0) {
      throw new FieldError(`line ${i + 1}: is no pair of tokens`);
    }
    checkMerge([left, right], vocab, `line ${i + 1}`);
    pairs.push([left, right]);
  });
  if (pairs.length === 0) throw new FieldError('has no merges');
  return pairs;
}
