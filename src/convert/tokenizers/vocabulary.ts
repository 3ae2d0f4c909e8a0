/** The vocabulary of a tokenizer.json: its tokens, and the ids that they have. */
import { isObject } from './source.ts';

/** More than any text encoder's; larger ids are damage. */
const LARGEST_ID = 2 ** 24;

/** A field that is not as it should be. */
export class FieldError extends Error {}

/** Ids by token; unigram models list theirs in order, BPE models name them. */
export type Vocabulary = ReadonlyMap<string, number>;

/** @throws FieldError unless there are pairs of a piece and its score. */
export function unigramVocabulary(vocab: unknown, field: string): Vocabulary {
  if (!Array.isArray(vocab) || vocab.length === 0) throw new FieldError(`${field}: has no pieces`);
  return new Map(
    vocab.map((entry: unknown, id) => {
      const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof piece !== 'string' || typeof score !== 'number') {
        throw new FieldError(`${field}[${id}]: is no pair of a piece and its score`);
      }
      return [piece, id];
    }),
  );
}

/** @throws FieldError unless there are ids by token, each id once. */
export function bpeVocabulary(vocab: unknown, field: string): Vocabulary {
  if (!isObject(vocab)) throw new FieldError(`${field}: is no object of ids by token`);
  const ids = new Map<string, number>();
  const seen = new Set<number>();
  for (const [token, id] of Object.entries(vocab)) {
    const place = `${field}[${JSON.stringify(token)}]`;
    if (!isId(id)) throw new FieldError(`${place}: is no token id`);
    if (seen.has(id)) throw new FieldError(`${place}: another token has the id ${id} too`);
    seen.add(id);
    ids.set(token, id);
  }
  return ids;
}

/** Tokens that are found in a text before it is normalized. @throws FieldError */
export function addedVocabulary(tokens: unknown): Vocabulary {
  if (!Array.isArray(tokens)) throw new FieldError('added_tokens: is no list');
  return new Map(
    tokens.map((token: unknown, i) => {
      if (!isObject(token) || typeof token['content'] !== 'string' || token['content'] === '') {
        throw new FieldError(`added_tokens[${i}].content: is no text`);
      }
      if (!isId(token['id'])) throw new FieldError(`added_tokens[${i}].id: is no token id`);
      return [token['content'], token['id']];
    }),
  );
}

/** Two tokens that become one. */
export type Merge = readonly [string, string];

/** @throws FieldError unless the vocabulary has the two tokens and what they make. */
export function checkMerge(merge: Merge, ids: Vocabulary, place: string): void {
  const missing = [...merge, merge.join('')].find((token) => !ids.has(token));
  if (missing === undefined) return;
  throw new FieldError(`${place}: the vocabulary has no token ${JSON.stringify(missing)}`);
}

/** An entry of `added_tokens` that is found in a text as it stands. */
export function addedToken(id: number, content: string, special: boolean): object {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return { id, content, ...flags, special };
}

/** One more than the largest id. */
export function sizeOf(ids: Vocabulary): number {
  let size = 0;
  for (const id of ids.values()) size = Math.max(size, id + 1);
  return size;
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < LARGEST_ID;
}
