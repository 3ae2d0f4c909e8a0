/** A vocabulary.json beside the weights goes into the bundle as it is; a malformed one is refused. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readVocabulary } from '../../../src/bundle/vocabulary.ts';
import { convert } from '../../../src/convert/convert.ts';
import { fingerprint } from '../../../src/convert/write/fingerprint.ts';
import type { Source } from '../../../src/convert/files.ts';
import { openModel } from '../../../src/convert/checkpoint/open-model.ts';
import { diffusersFiles } from '../support/tiny-flux.ts';
import { MemoryBundle } from './memory-bundle.ts';
import { MemoryFiles } from './memory.ts';

const VOCABULARY = '{ "concepts": [["fox", "fox face"]],\n  "words": ["a", "on"] }\n';
const OPTIONS = { quantization: 'mixed' } as const;

const modelWith = (vocabulary?: string): Source =>
  new MemoryFiles({
    ...Object.fromEntries(diffusersFiles()),
    ...(vocabulary !== undefined && { 'vocabulary.json': vocabulary }),
  });

describe('a conversion', () => {
  test('copies it byte by byte, and the manifest names and lists it', async () => {
    const written = new MemoryBundle();
    const { manifest } = await convert(
      await openModel(modelWith(VOCABULARY)),
      written.open(),
      OPTIONS,
    );
    const copied = written.files().get('vocabulary.json')!;
    expect(new TextDecoder().decode(copied)).toBe(VOCABULARY);
    expect(manifest.version).toBe(1);
    expect(manifest.vocabulary).toBe('vocabulary.json');
    expect(manifest.files['vocabulary.json']).toEqual({
      bytes: VOCABULARY.length,
      sha256: createHash('sha256').update(VOCABULARY).digest('hex'),
    });
    const read = () => Promise.resolve(new Uint8Array(copied));
    const bundle = { manifest, read, blob: async () => new Blob([await read()]) };
    expect(await readVocabulary(bundle)).toEqual(JSON.parse(VOCABULARY));
  });

  test('without one the manifest says nothing of it', async () => {
    const written = new MemoryBundle();
    const { manifest } = await convert(await openModel(modelWith()), written.open(), OPTIONS);
    expect(manifest).not.toHaveProperty('vocabulary');
    expect(written.files().has('vocabulary.json')).toBe(false);
  });

  test('does not go on with that of another vocabulary', async () => {
    const other = VOCABULARY.replace('fox', 'cat');
    const digests = await Promise.all(
      [undefined, VOCABULARY, other].map(async (vocabulary) =>
        fingerprint(await openModel(modelWith(vocabulary)), OPTIONS),
      ),
    );
    expect(new Set(digests).size).toBe(3);
  });
});

test('it is found where files cannot be listed', async () => {
  const source = modelWith(VOCABULARY);
  const listless: Source = {
    list: () => Promise.resolve([]),
    has: (path) => source.has(path),
    size: (path) => source.size(path),
    read: (path, offset, length) => source.read(path, offset, length),
  };
  expect((await openModel(listless)).vocabulary).toBe(VOCABULARY);
});

test.each([
  ['no JSON', '{', 'is not valid JSON'],
  ['no concepts', '{"concepts": [], "words": []}', 'concepts'],
  ['no words', '{"concepts": [["fox"]]}', 'words'],
  ['a concept without a name', '{"concepts": [["fox"], []], "words": []}', 'concepts.1'],
  ['a name that is no text', '{"concepts": [["fox", 7]], "words": []}', 'concepts.0.1'],
  ['a word of punctuation', '{"concepts": [["fox"]], "words": ["a", "--"]}', 'words.1'],
])('refuses a file with %s', async (_, text, says) => {
  await expect(openModel(modelWith(text))).rejects.toMatchObject({
    code: 'bad-checkpoint',
    message: expect.stringMatching(new RegExp(`vocabulary\\.json.*${says}`)) as string,
  });
});
