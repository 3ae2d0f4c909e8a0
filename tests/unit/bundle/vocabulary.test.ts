import { expect, test } from 'vitest';
import { openBundleUrl } from '../../../src/bundle/bundle.ts';
import { filesOf, purposeOf } from '../../../src/bundle/files.ts';
import { readVocabulary } from '../../../src/bundle/vocabulary.ts';
import type { TestFiles } from '../support/bundle-folder.ts';
import { bundleWith, withManifest } from '../support/download-bundle.ts';

const PATH = 'vocabulary.json';
const URL_ = 'https://models.example/words';

function bundleOf(text: string): TestFiles {
  const made = bundleWith({ [PATH]: new TextEncoder().encode(text) });
  return withManifest(made, { ...made.manifest, vocabulary: PATH });
}

const open = ({ files }: TestFiles) =>
  openBundleUrl(URL_, {
    fetch: (input) => {
      const bytes = files.get(String(input).slice(URL_.length + 1));
      return Promise.resolve(new Response(bytes ?? null, { status: bytes ? 200 : 404 }));
    },
  });

test('is read, and is one of the files that a model needs', async () => {
  const vocabulary = { concepts: [['red apple', 'apple']], words: ['a'] };
  const bundle = await open(bundleOf(JSON.stringify(vocabulary)));
  expect(await readVocabulary(bundle)).toEqual(vocabulary);
  expect(filesOf(bundle.manifest, 'float16')).toContain(PATH);
  expect(purposeOf(bundle.manifest, PATH)).toBe('vocabulary');
});

test('a bundle without one is as good', async () => {
  const bundle = await open(bundleWith({}));
  expect(await readVocabulary(bundle)).toBeUndefined();
  expect(filesOf(bundle.manifest, 'float16')).not.toContain(PATH);
});

test.each([
  ['not JSON', /vocabulary\.json is not valid JSON/],
  ['[]', /vocabulary\.json: .*/],
  ['{"concepts": [["fox", ""]], "words": []}', /vocabulary\.json: concepts\.0\.1: /],
])('%s is refused with the field', async (text, says) => {
  await expect(open(bundleOf(text)).then(readVocabulary)).rejects.toMatchObject({
    code: 'bad-bundle',
    message: expect.stringMatching(says) as string,
  });
});

test('a manifest that names one without listing it is refused', async () => {
  const made = bundleWith({});
  const broken = withManifest(made, { ...made.manifest, vocabulary: PATH });
  await expect(open(broken)).rejects.toMatchObject({ code: 'bad-bundle' });
});
