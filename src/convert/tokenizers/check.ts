/** Whether a tokenizer.json is one that the engine reads as the reference does. */
import { parseTokenizer } from '../../bundle/tokenizer/parse.ts';
import { isObject, type Kind } from './source.ts';
import {
  addedVocabulary,
  bpeVocabulary,
  checkMerge,
  FieldError,
  unigramVocabulary,
  type Vocabulary,
} from './vocabulary.ts';

export const CLIP_START = '<|startoftext|>';
export const CLIP_END = '<|endoftext|>';
export const T5_END = '</s>';
export const T5_PAD = '<pad>';

/** Parts that do on every engine what they do in the reference. */
const NORMALIZERS = [
  'Sequence',
  'Precompiled',
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'Lowercase',
  'Replace',
  'Strip',
  'Prepend',
];
const PRE_TOKENIZERS = ['Sequence', 'WhitespaceSplit', 'Metaspace', 'Split', 'ByteLevel'];
/** Of a Split; `[behavior, invert]`. */
const SPLITS = ['Removed,false', 'Removed,true', 'Isolated,false'];
const DEEPEST = 8;

/** Which of the two tokenizers a tokenizer.json is for; nothing for another model's. */
export function kindOf(file: unknown): Kind | undefined {
  if (!isObject(file) || !isObject(file['model'])) return undefined;
  const { type, vocab } = file['model'];
  const added = Array.isArray(file['added_tokens']) ? (file['added_tokens'] as unknown[]) : [];
  const isAdded = (token: string): boolean =>
    added.some((entry) => isObject(entry) && entry['content'] === token);
  if (type === 'Unigram' && Array.isArray(vocab)) {
    const isPiece = (entry: unknown): boolean => Array.isArray(entry) && entry[0] === T5_END;
    return isAdded(T5_END) || vocab.some(isPiece) ? 't5' : undefined;
  }
  if (type === 'BPE' && isObject(vocab)) {
    const has = (token: string): boolean => isAdded(token) || Object.hasOwn(vocab, token);
    return has(CLIP_START) && has(CLIP_END) ? 'clip' : undefined;
  }
  return undefined;
}

/**
 * Ids by token, added tokens included.
 * @throws FieldError that begins with the field.
 */
export function vocabularyOf(file: unknown, kind: Kind): Vocabulary {
  if (!isObject(file) || !isObject(file['model'])) throw new FieldError('model: is no object');
  return new Map([
    ...(kind === 'clip' ? checkBpe(file['model']) : checkUnigram(file['model'])),
    ...addedVocabulary(file['added_tokens']),
  ]);
}

/** @throws FieldError, which begins with the field, unless a tokenizer.json of this kind can be used. */
export function checkTokenizer(text: string, file: unknown, kind: Kind): void {
  const ids = vocabularyOf(file, kind);
  for (const token of kind === 'clip' ? [CLIP_START, CLIP_END] : [T5_PAD, T5_END]) {
    if (!ids.has(token)) throw new FieldError(`model.vocab: has no token ${token}`);
  }
  const { normalizer, pre_tokenizer } = file as Record<string, unknown>;
  checkParts(normalizer, 'normalizer', 'normalizers', NORMALIZERS);
  checkParts(pre_tokenizer, 'pre_tokenizer', 'pretokenizers', PRE_TOKENIZERS);
  checkEnds(text, ids, kind);
}

function checkUnigram(model: Record<string, unknown>): Vocabulary {
  const ids = unigramVocabulary(model['vocab'], 'model.vocab');
  if (![...ids.values()].includes(model['unk_id'] as number)) {
    throw new FieldError('model.unk_id: is no id of the vocabulary');
  }
  if (model['byte_fallback']) throw new FieldError('model.byte_fallback: is not supported');
  return ids;
}

function checkBpe(model: Record<string, unknown>): Vocabulary {
  const ids = bpeVocabulary(model['vocab'], 'model.vocab');
  if (!Array.isArray(model['merges'])) throw new FieldError('model.merges: is no list');
  model['merges'].forEach((merge: unknown, i) => {
    const place = `model.merges[${i}]`;
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    const [left, right, ...rest] = Array.isArray(pair) ? (pair as unknown[]) : [];
    if (typeof left !== 'string' || typeof right !== 'string' || rest.length > 0) {
      throw new FieldError(`${place}: is no pair of tokens`);
    }
    checkMerge([left, right], ids, place);
  });
  // The library takes the first merge's form for that of all.
  if (new Set(model['merges'].map((merge) => typeof merge)).size > 1) {
    throw new FieldError('model.merges: has texts and pairs together');
  }
  if (!ids.has(String(model['unk_token']))) {
    throw new FieldError('model.unk_token: is not in the vocabulary');
  }
  if (model['continuing_subword_prefix']) {
    throw new FieldError('model.continuing_subword_prefix: is not supported');
  }
  if (model['dropout']) throw new FieldError('model.dropout: is not supported');
  return ids;
}

function checkParts(
  part: unknown,
  field: string,
  listField: string,
  known: readonly string[],
  depth = 0,
): void {
  if (part === null) return;
  const type = isObject(part) ? String(part['type']) : undefined;
  if (!isObject(part) || type === undefined || !known.includes(type) || depth > DEEPEST) {
    throw new FieldError(`${field}: ${type ?? 'what it holds'} is not supported`);
  }
  if (type === 'Sequence') {
    const parts = part[listField];
    if (!Array.isArray(parts)) throw new FieldError(`${field}.${listField}: is no list`);
    parts.forEach((inner, i) => {
      if (inner === null) throw new FieldError(`${field}.${listField}[${i}]: is nothing`);
      checkParts(inner, `${field}.${listField}[${i}]`, listField, known, depth + 1);
    });
  }
  if (type === 'Split' || type === 'Replace') checkPattern(part['pattern'], `${field}.pattern`);
  if (
    type === 'Split' &&
    !SPLITS.includes(`${String(part['behavior'])},${String(part['invert'])}`)
  ) {
    throw new FieldError(`${field}.behavior: ${String(part['behavior'])} is not supported`);
  }
}

function checkPattern(pattern: unknown, field: string): void {
  if (isObject(pattern) && typeof (pattern['Regex'] ?? pattern['String']) === 'string') return;
  throw new FieldError(`${field}: has neither Regex nor String`);
}

/** Reads the tokenizer as the engine will, and has it put the special tokens around a text. */
function checkEnds(text: string, ids: Vocabulary, kind: Kind): void {
  const encode = (word: string): number[] => {
    try {
      return parseTokenizer(text, 'it').encode(word).ids;
    } catch (error) {
      const { message } = error instanceof Error && error.cause instanceof Error ? error.cause : {};
      throw new FieldError(`cannot be read (${message ?? String(error)})`);
    }
  };
  const found = encode('a');
  if (kind === 'clip' && found[0] !== ids.get(CLIP_START)) {
    throw new FieldError(`post_processor: does not begin a text with ${CLIP_START}`);
  }
  const end = kind === 'clip' ? CLIP_END : T5_END;
  if (found.at(-1) !== ids.get(end)) {
    throw new FieldError(`post_processor: does not end a text with ${end}`);
  }
}
