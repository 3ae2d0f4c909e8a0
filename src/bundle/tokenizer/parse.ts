/**
 * Hugging Face's tokenizer.json, read so that the ids equal those of the reference, the Rust library
 * behind transformers. Where the JavaScript library differs from it, something else takes its place.
 */
import {
  Normalizer,
  PrecompiledNormalizer,
  PreTokenizer,
  SequenceNormalizer,
  Tokenizer,
} from '@huggingface/tokenizers';
import { AppError } from '../../shared/errors.ts';
import { Charsmap } from './charsmap.ts';
import { normalizerLikeReference, type Part, preTokenizerLikeReference } from './parts.ts';

interface TokenizerFile {
  readonly normalizer: Part | null;
  readonly pre_tokenizer: Part | null;
}

/** A tokenizer from the text of a tokenizer.json; `where` names it in errors. */
export function parseTokenizer(text: string, where: string): Tokenizer {
  try {
    const file = JSON.parse(text) as TokenizerFile;
    const tokenizer = new Tokenizer(
      {
        ...file,
        normalizer: file.normalizer && normalizerLikeReference(file.normalizer),
        pre_tokenizer: file.pre_tokenizer && preTokenizerLikeReference(file.pre_tokenizer),
      },
      {},
    );
    if (tokenizer.normalizer) tokenizer.normalizer = withCharsmaps(tokenizer.normalizer);
    keepSpelledTokens(tokenizer);
    return tokenizer;
  } catch (cause) {
    throw new AppError(
      'bad-bundle',
      `${where} is not a tokenizer.json that can be read.`,
      'Convert or download the bundle again.',
      { cause },
    );
  }
}

/** The library puts NFKC in the place of a precompiled character map, which is nearly the same. */
function withCharsmaps(normalizer: Normalizer): Normalizer {
  if (normalizer instanceof PrecompiledNormalizer) return new CharsmapNormalizer(normalizer.config);
  if (normalizer instanceof SequenceNormalizer) {
    normalizer.normalizers = normalizer.normalizers.map((part) => part && withCharsmaps(part));
  }
  return normalizer;
}

class CharsmapNormalizer extends Normalizer {
  private readonly map: Charsmap | null;

  constructor(config: Normalizer['config']) {
    super(config);
    const { precompiled_charsmap: text } = config as { precompiled_charsmap?: string | null };
    // Empty for models without normalization.
    this.map = text ? new Charsmap(Uint8Array.from(atob(text), (c) => c.charCodeAt(0))) : null;
  }

  override normalize(text: string): string {
    return this.map ? this.map.normalize(text) : text;
  }
}

/** Never in a text: half of a surrogate pair. */
const MARK = '\ud800';

/**
 * The library takes a text for a special token if all of it becomes one by normalization, such as
 * "<|ENDOFTEXT|>" by lower-casing. A mark that lasts until the text is split keeps it from that.
 */
function keepSpelledTokens(tokenizer: Tokenizer): void {
  const { normalizer, pre_tokenizer } = tokenizer;
  if (!normalizer || !pre_tokenizer) return;
  const spelled = new Set<string>();
  for (const { content, normalized } of tokenizer.get_added_tokens_decoder().values()) {
    if (!normalized) spelled.add(content);
  }
  tokenizer.normalizer = new MarkingNormalizer(normalizer, spelled);
  tokenizer.pre_tokenizer = new UnmarkingPreTokenizer(pre_tokenizer);
}

class MarkingNormalizer extends Normalizer {
  constructor(
    private readonly inner: Normalizer,
    private readonly spelled: ReadonlySet<string>,
  ) {
    super(inner.config);
  }

  override normalize(text: string): string {
    const normalized = this.inner.normalize(text);
    return this.spelled.has(normalized) ? normalized + MARK : normalized;
  }
}

class UnmarkingPreTokenizer extends PreTokenizer {
  constructor(private readonly inner: PreTokenizer) {
    super();
  }

  override pre_tokenize_text(text: string, options?: object): string[] {
    return this.inner.pre_tokenize(text.endsWith(MARK) ? text.slice(0, -1) : text, options);
  }
}
