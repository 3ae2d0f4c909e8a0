import { describe, expect, test } from 'vitest';
import { parseTokenizer } from '../../../src/bundle/tokenizer/parse.ts';
import {
  readClipTokenizer,
  readT5Tokenizer,
  TOKENIZER_PATHS,
  vocabularySize,
} from '../../../src/convert/tokenizers/index.ts';
import { tokenize } from '../../../src/prompt/tokenize.ts';
import { golden, memoryOf } from './tokenizer-files.ts';

interface Case {
  readonly text: string;
  readonly t5: number[];
  readonly clip: number[];
  /** Where it differs from `t5`: ids by a tokenizer.json as transformers 4 writes it. */
  readonly earlierT5?: number[];
  /** Where it differs from `t5`: ids by SentencePiece itself. */
  readonly sentencepiece?: number[];
}

/** Made by training/tokenizer_goldens.py with transformers and sentencepiece. */
const reference = JSON.parse(golden('ids.json').toString()) as {
  sizes: { t5: number; clip: number };
  cases: Case[];
  padded: { text: string; t5: number[]; clip: number[] }[];
};

const flux = memoryOf({
  'tokenizer/vocab.json': golden('vocab.json'),
  'tokenizer/merges.txt': golden('merges.txt'),
  'tokenizer_2/spiece.model': golden('spiece.model'),
});
const t5Text = await readT5Tokenizer(flux, TOKENIZER_PATHS);
const clipText = await readClipTokenizer(flux, TOKENIZER_PATHS);
const tokenizers = {
  t5: parseTokenizer(t5Text, 'built t5.json'),
  clip: parseTokenizer(clipText, 'built clip.json'),
};

/** The same pieces as transformers 4 writes them: it strips and collapses spaces in the normalizer. */
function earlierT5(): string {
  const made = JSON.parse(t5Text) as Record<string, unknown>;
  return JSON.stringify({
    ...made,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        made['normalizer'],
        { type: 'Strip', strip_left: false, strip_right: true },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' },
      ],
    },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  });
}

test('the goldens are many, and some tell the references apart', () => {
  expect(reference.cases.length).toBeGreaterThan(200);
  for (const name of ['earlierT5', 'sentencepiece'] as const) {
    expect(reference.cases.some((each) => each[name] !== undefined)).toBe(true);
  }
});

describe('ids of every text', () => {
  test.each(reference.cases)("%# by spiece.model are T5Tokenizer's", ({ text, t5 }) => {
    expect(tokenizers.t5.encode(text).ids).toEqual(t5);
  });

  test.each(reference.cases)("%# by vocab.json and merges.txt are CLIPTokenizer's", (each) => {
    expect(tokenizers.clip.encode(each.text).ids).toEqual(each.clip);
  });

  test('by a tokenizer.json of transformers 4 are those of its file', async () => {
    const path = 'tokenizer_2/tokenizer.json';
    const text = await readT5Tokenizer(memoryOf({ [path]: earlierT5() }), [path]);
    const earlier = parseTokenizer(text, path);
    for (const { text, t5, earlierT5 = t5 } of reference.cases) {
      expect(earlier.encode(text).ids, JSON.stringify(text)).toEqual(earlierT5);
    }
  });
});

describe('padded and cut', () => {
  test.each(reference.padded)('%# to 512 and 77 tokens, as transformers does', (each) => {
    const tokens = tokenize(tokenizers, each.text, { t5Tokens: 512, clipTokens: 77 });
    expect([...tokens.t5]).toEqual(each.t5);
    expect([...tokens.clip]).toEqual(each.clip);
    expect(tokens.clipEnd).toBe(each.clip.indexOf(reference.sizes.clip - 1));
  });

  test('some texts are longer than either', () => {
    const cut = reference.padded.filter(({ text }) => tokenizers.t5.encode(text).ids.length > 512);
    expect(cut.length).toBeGreaterThan(2);
  });
});

test('a tokenizer.json is taken as it is', async () => {
  const files = memoryOf({
    'tokenizer (1).json': t5Text,
    'tokenizer.json': clipText,
    'tokenizer_config.json': '{"model_max_length": 77}',
  });
  const paths = await files.list();
  expect(await readT5Tokenizer(files, paths)).toBe(t5Text);
  expect(await readClipTokenizer(files, paths)).toBe(clipText);
});

test("vocabulary sizes are transformers'", () => {
  expect(vocabularySize(t5Text)).toBe(reference.sizes.t5);
  expect(vocabularySize(clipText)).toBe(reference.sizes.clip);
});
