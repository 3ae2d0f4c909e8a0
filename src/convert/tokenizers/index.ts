/**
 * The tokenizers of a bundle, from the files that users have: tokenizer.json as it is, CLIP's also
 * from vocab.json and merges.txt, T5's also from a SentencePiece model.
 */
import { AppError } from '../../shared/errors.ts';
import type { Source } from '../files.ts';
import { checkTokenizer, kindOf, vocabularyOf } from './check.ts';
import { clipFromMerges, isClipVocabulary, parseMerges } from './clip.ts';
import {
  bad,
  candidates,
  folderOf,
  FOLDERS,
  HINTS,
  type Kind,
  parseJson,
  readJson,
  readLimited,
} from './source.ts';
import { t5FromSentencePiece } from './t5.ts';
import { bpeVocabulary, FieldError, sizeOf } from './vocabulary.ts';

/** Where a source that cannot list its files may have tokenizers. */
export const TOKENIZER_PATHS: readonly string[] = [
  'tokenizer/tokenizer.json',
  'tokenizer/vocab.json',
  'tokenizer/merges.txt',
  'tokenizer_2/tokenizer.json',
  'tokenizer_2/spiece.model',
];

// Browsers keep files of the same name apart as in "tokenizer (1).json".
const TOKENIZER_JSON = /^(?!.*config).*tokenizer.*\.json$/i;
const VOCABULARY = /vocab.*\.json$/i;
const MERGES = /merges.*\.txt$/i;
const SENTENCEPIECE = /\.model$/i;

/**
 * The text of CLIP's tokenizer.json.
 * @param paths all files of the source, or `TOKENIZER_PATHS` if it cannot list them
 * @throws AppError `not-found` if no file is CLIP's, `bad-checkpoint` if those that are cannot be used.
 */
export function readClipTokenizer(source: Source, paths: readonly string[]): Promise<string> {
  return read(source, paths, 'clip', VOCABULARY, async (path) => {
    const vocab = await readJson(source, path, 'clip');
    if (!isClipVocabulary(vocab)) return undefined;
    const ids = named(path, 'clip', () => bpeVocabulary(vocab, 'the top level'));
    const beside = paths.filter((other) => folderOf(other) === folderOf(path));
    const [mergesPath] = await candidates(source, beside, MERGES, 'clip');
    if (mergesPath === undefined) {
      throw notFound(`There is ${path}, but no merges.txt beside it.`, 'clip');
    }
    const merges = new TextDecoder().decode(await readLimited(source, mergesPath, 'clip'));
    return named(mergesPath, 'clip', () => clipFromMerges(ids, parseMerges(merges, ids)));
  });
}

/**
 * The text of T5's tokenizer.json.
 * @param paths all files of the source, or `TOKENIZER_PATHS` if it cannot list them
 * @throws AppError `not-found` if no file is T5's, `bad-checkpoint` if those that are cannot be used.
 */
export function readT5Tokenizer(source: Source, paths: readonly string[]): Promise<string> {
  return read(source, paths, 't5', SENTENCEPIECE, async (path) => {
    const bytes = await readLimited(source, path, 't5');
    return named(path, 't5', () => t5FromSentencePiece(bytes));
  });
}

/**
 * One more than the largest id that a tokenizer gives: its text encoder needs as many embeddings.
 * @param text of a tokenizer.json that was read above
 */
export function vocabularySize(text: string): number {
  const where = 'tokenizer.json';
  const file = parseJson(text, where, 't5');
  const kind = kindOf(file) ?? 't5';
  return sizeOf(named(where, kind, () => vocabularyOf(file, kind)));
}

/** The first tokenizer.json of this kind, or else what `build` makes of a file named as `parts`. */
async function read(
  source: Source,
  paths: readonly string[],
  kind: Kind,
  parts: RegExp,
  build: (path: string) => Promise<string | undefined>,
): Promise<string> {
  const attempts: [RegExp, (path: string) => Promise<string | undefined>][] = [
    [TOKENIZER_JSON, (path) => readTokenizerJson(source, path, kind)],
    [parts, build],
  ];
  let problem: AppError | undefined;
  for (const [name, attempt] of attempts) {
    for (const path of await candidates(source, paths, name, kind)) {
      try {
        const text = await attempt(path);
        if (text === undefined) continue;
        const file = parseJson(text, path, kind);
        named(path, kind, () => checkTokenizer(text, file, kind));
        return text;
      } catch (error) {
        // Another file may do; what is wrong with this one is said only if none does.
        if (!isAboutFile(error)) throw error;
        problem ??= error;
      }
    }
  }
  const name = kind === 'clip' ? 'CLIP' : 'T5';
  throw problem ?? notFound(`There is no ${name} tokenizer, such as ${FOLDERS[kind]}/.`, kind);
}

function isAboutFile(error: unknown): error is AppError {
  return (
    error instanceof AppError && (error.code === 'bad-checkpoint' || error.code === 'not-found')
  );
}

/** Nothing if the tokenizer is another model's. */
async function readTokenizerJson(
  source: Source,
  path: string,
  kind: Kind,
): Promise<string | undefined> {
  const text = new TextDecoder().decode(await readLimited(source, path, kind));
  return kindOf(parseJson(text, path, kind)) === kind ? text : undefined;
}

/** Runs what finds fault with fields of a file, and names the file. */
function named<Result>(path: string, kind: Kind, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof FieldError) throw bad(path, error.message, kind, error);
    throw error;
  }
}

function notFound(message: string, kind: Kind): AppError {
  return new AppError('not-found', message, HINTS[kind]);
}
