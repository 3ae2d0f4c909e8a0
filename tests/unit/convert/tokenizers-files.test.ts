/** Which files make a tokenizer, and what is said of those that do not. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseTokenizer } from '../../../src/bundle/tokenizer/parse.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { ModelProtoSchema } from '../../../src/bundle/proto/sentencepiece_pb.ts';
import {
  readClipTokenizer,
  readT5Tokenizer,
  vocabularySize,
} from '../../../src/convert/tokenizers/index.ts';
import { golden, memoryOf } from './tokenizer-files.ts';

const spiece = golden('spiece.model');
const vocab = golden('vocab.json');
const merges = golden('merges.txt');
const parts = memoryOf({ 'vocab.json': vocab, 'merges.txt': merges, 'spiece.model': spiece });
const t5Text = await readT5Tokenizer(parts, await parts.list());
const clipText = await readClipTokenizer(parts, await parts.list());
/** The pocket model's, small enough to read often. */
const smallT5 = golden('t5.json').toString();
const smallClip = golden('clip.json').toString();

type Files = Record<string, Uint8Array | string>;
type Reader = typeof readT5Tokenizer;

async function readFrom(reader: Reader, files: Files): Promise<string> {
  const source = memoryOf(files);
  return reader(source, await source.list());
}

async function problemOf(reader: Reader, files: Files): Promise<AppError> {
  const error = await readFrom(reader, files).then(
    () => undefined,
    (problem: unknown) => problem,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

describe('which file is taken', () => {
  test('of several, the one in the folder of the pipeline', async () => {
    const files = {
      'a/tokenizer.json': smallT5,
      'model/tokenizer_2/tokenizer.json': t5Text,
      'model/tokenizer/tokenizer.json': clipText,
      'z/tokenizer.json': smallClip,
    };
    expect(await readFrom(readT5Tokenizer, files)).toBe(t5Text);
    expect(await readFrom(readClipTokenizer, files)).toBe(clipText);
  });

  test('a tokenizer.json before its parts, and never the other encoder’s', async () => {
    const both = {
      'tokenizer/tokenizer.json': smallT5,
      'tokenizer/vocab.json': vocab,
      'tokenizer/merges.txt': merges,
      'tokenizer_2/tokenizer.json': smallT5,
      'tokenizer_2/spiece.model': spiece,
    };
    expect(await readFrom(readClipTokenizer, both)).toBe(clipText);
    expect(await readFrom(readT5Tokenizer, both)).toBe(smallT5);
  });

  test('parts where tokenizer.json is broken', async () => {
    const files = { 'tokenizer_2/tokenizer.json': '{', 'tokenizer_2/spiece.model': spiece };
    expect(await readFrom(readT5Tokenizer, files)).toBe(t5Text);
  });

  test('merges.txt only from beside vocab.json', async () => {
    const other = { 'gpt2/merges.txt': '#version: 0.2\nx y\n', 'gpt2/vocab.json': '{"x":0}' };
    const files = { ...other, 'clip/vocab.json': vocab, 'clip/merges.txt': merges };
    expect(await readFrom(readClipTokenizer, files)).toBe(clipText);
  });

  test('paths that do not exist are passed over', async () => {
    const source = memoryOf({ 'spiece.model': spiece });
    expect(await readT5Tokenizer(source, ['tokenizer.json', 'spiece.model'])).toBe(t5Text);
  });

  test('line ends of Windows change nothing', async () => {
    const text = merges.toString().replaceAll('\n', '\r\n');
    expect(await readFrom(readClipTokenizer, { 'vocab.json': vocab, 'merges.txt': text })).toBe(
      clipText,
    );
  });

  test('words that are names of object members are words', async () => {
    const words = JSON.parse(vocab.toString()) as Record<string, number>;
    const text = JSON.stringify(words).replace(/}$/, ',"__proto__":5000,"constructor":5001}');
    const made = await readFrom(readClipTokenizer, { 'vocab.json': text, 'merges.txt': merges });
    expect(vocabularySize(made)).toBe(5002);
  });
});

describe('what is wrong is said, with the file and the field', () => {
  const set = (text: string, fields: object): string =>
    JSON.stringify({ ...(JSON.parse(text) as object), ...fields });
  const unknownOutside = JSON.stringify(JSON.parse(smallT5)).replace(/"unk_id":2/, '"unk_id":9999');
  const spm = (change: (model: ReturnType<typeof open>) => void): Uint8Array => {
    const model = open();
    change(model);
    return toBinary(ModelProtoSchema, model);
  };
  const open = () => fromBinary(ModelProtoSchema, spiece);

  test.each<[string, Reader, Files, string, RegExp]>([
    ['nothing', readT5Tokenizer, {}, 'not-found', /no T5 tokenizer.*tokenizer_2/],
    ['nothing', readClipTokenizer, {}, 'not-found', /no CLIP tokenizer.*tokenizer\//],
    [
      'only the other encoder’s',
      readClipTokenizer,
      { 'tokenizer.json': smallT5 },
      'not-found',
      /no CLIP tokenizer/,
    ],
    [
      'no merges',
      readClipTokenizer,
      { 'a/vocab.json': vocab, 'merges.txt': merges },
      'not-found',
      /a\/vocab\.json, but no merges\.txt/,
    ],
    [
      'no JSON',
      readT5Tokenizer,
      { 'tokenizer.json': '<html>' },
      'bad-checkpoint',
      /tokenizer\.json: is not valid JSON/,
    ],
    [
      'a Git LFS pointer',
      readT5Tokenizer,
      { 'spiece.model': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n' },
      'bad-checkpoint',
      /spiece\.model: .*Git LFS/,
    ],
    [
      'too large',
      readT5Tokenizer,
      { 'spiece.model': new Uint8Array(64 * 2 ** 20 + 1) },
      'bad-checkpoint',
      /spiece\.model: 67108865 bytes/,
    ],
    [
      'an id twice',
      readClipTokenizer,
      { 'vocab.json': set(vocab.toString(), { '!': 1 }), 'merges.txt': merges },
      'bad-checkpoint',
      /vocab\.json: the top level\[.*the id 1 too/,
    ],
    [
      'an id that is none',
      readClipTokenizer,
      { 'vocab.json': set(vocab.toString(), { '!': -1 }), 'merges.txt': merges },
      'bad-checkpoint',
      /vocab\.json: the top level\["!"\]/,
    ],
    [
      'a line that is no pair',
      readClipTokenizer,
      { 'vocab.json': vocab, 'merges.txt': '#version: 0.2\na b c\n' },
      'bad-checkpoint',
      /merges\.txt: line 2: is no pair/,
    ],
    [
      'another vocabulary’s merges',
      readClipTokenizer,
      { 'vocab.json': vocab, 'merges.txt': '#version: 0.2\nq z</w>\n' },
      'bad-checkpoint',
      /merges\.txt: line 2: the vocabulary has no token "qz<\/w>"/,
    ],
    [
      'an unknown id out of range',
      readT5Tokenizer,
      { 'tokenizer.json': unknownOutside },
      'bad-checkpoint',
      /tokenizer\.json: model\.unk_id/,
    ],
    [
      'a part that the library lacks',
      readT5Tokenizer,
      { 'tokenizer.json': set(smallT5, { pre_tokenizer: { type: 'Whitespace' } }) },
      'bad-checkpoint',
      /tokenizer\.json: pre_tokenizer: Whitespace is not supported/,
    ],
    [
      'a character map that is cut off',
      readT5Tokenizer,
      {
        'tokenizer.json': set(smallT5, {
          normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAQAAA==' },
        }),
      },
      'bad-checkpoint',
      /tokenizer\.json: cannot be read \(.*character map/,
    ],
    [
      'no end token',
      readT5Tokenizer,
      { 'tokenizer.json': set(smallT5, { post_processor: null }) },
      'bad-checkpoint',
      /tokenizer\.json: post_processor: .*<\/s>/,
    ],
    [
      'no start token',
      readClipTokenizer,
      { 'tokenizer.json': set(smallClip, { post_processor: null }) },
      'bad-checkpoint',
      /tokenizer\.json: post_processor: .*<\|startoftext\|>/,
    ],
    [
      'no SentencePiece model',
      readT5Tokenizer,
      { 'spiece.model': 'hello' },
      'bad-checkpoint',
      /spiece\.model: is not a SentencePiece model/,
    ],
    [
      'an empty one',
      readT5Tokenizer,
      { 'spiece.model': toBinary(ModelProtoSchema, create(ModelProtoSchema)) },
      'bad-checkpoint',
      /spiece\.model: pieces/,
    ],
    [
      'a SentencePiece model of another kind',
      readT5Tokenizer,
      { 'spiece.model': spm((m) => (m.trainerSpec!.modelType = 2)) },
      'bad-checkpoint',
      /spiece\.model: trainer_spec\.model_type/,
    ],
    [
      'no piece for the end',
      readT5Tokenizer,
      { 'spiece.model': spm((m) => (m.pieces[1]!.piece = '<s>')) },
      'bad-checkpoint',
      /spiece\.model: pieces: there is no <\/s>/,
    ],
    [
      'words without a space before them',
      readT5Tokenizer,
      { 'spiece.model': spm((m) => (m.normalizerSpec!.addDummyPrefix = false)) },
      'bad-checkpoint',
      /spiece\.model: normalizer_spec\.add_dummy_prefix/,
    ],
  ])('%s', async (_, reader, files, code, message) => {
    const problem = await problemOf(reader, files);
    expect(problem.code).toBe(code);
    expect(problem.message).toMatch(message);
    expect(problem.hint).toMatch(reader === readT5Tokenizer ? /t5-v1_1-xxl/ : /clip-vit-large/);
  });
});

describe('whatever the files hold, there is a tokenizer or an AppError', () => {
  const check = async (reader: Reader, files: Files): Promise<void> => {
    try {
      const text = await readFrom(reader, files);
      parseTokenizer(text, 'it').encode('a fox 🦊');
      expect(vocabularySize(text)).toBeGreaterThan(0);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).code).toMatch(/^(bad-checkpoint|not-found)$/);
    }
  };
  const damaged = (bytes: Uint8Array) =>
    fc
      .record({
        flips: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 3 }),
        // Most pieces lie at the beginning; the character map, which is long, follows them.
        early: fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { maxLength: 3 }),
        length: fc.oneof(fc.constant(bytes.length), fc.nat(bytes.length)),
      })
      .map(({ flips, early, length }) => {
        const copy = Uint8Array.from(bytes);
        for (const [at, value] of [...flips, ...early]) copy[at] = value;
        return copy.subarray(0, length);
      });

  test('bytes', async () => {
    const content = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(content, content, async (one, other) => {
        await check(readT5Tokenizer, { 'spiece.model': one, 'tokenizer.json': other });
        await check(readClipTokenizer, { 'vocab.json': one, 'merges.txt': other });
        await check(readClipTokenizer, { 'vocab.json': vocab, 'merges.txt': other });
      }),
    );
  });

  test('damaged models', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(spiece), (bytes) =>
        check(readT5Tokenizer, { 'spiece.model': bytes }),
      ),
      { numRuns: 60 },
    );
  });

  test('damaged vocabularies and merges', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(vocab), damaged(merges), async (one, other) => {
        await check(readClipTokenizer, { 'vocab.json': one, 'merges.txt': merges });
        await check(readClipTokenizer, { 'vocab.json': vocab, 'merges.txt': other });
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['T5', readT5Tokenizer, smallT5],
    ['CLIP', readClipTokenizer, smallClip],
  ])('any value at any place of a tokenizer.json of %s', async (_, reader, text) => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.jsonValue(), async (steps, value) => {
        const file = JSON.parse(text) as unknown;
        replaceSomewhere(file, steps, value);
        await check(reader, { 'tokenizer.json': JSON.stringify(file) });
      }),
      { numRuns: 300 },
    );
  });

  /** Goes down into a JSON value as the steps lead, and replaces what is there. */
  function replaceSomewhere(root: unknown, steps: Iterable<number>, value: unknown): void {
    let place = root as Record<string, unknown>;
    for (const step of steps) {
      const keys = Object.keys(place);
      const key = keys[step % keys.length];
      if (key === undefined) return;
      const inner = place[key];
      if (typeof inner !== 'object' || inner === null || step % 5 === 0) {
        place[key] = value;
        return;
      }
      place = inner as Record<string, unknown>;
    }
  }
});
