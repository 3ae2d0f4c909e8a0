import { expect, test } from 'vitest';
import { TextCache } from '../../../src/runtime/text-cache.ts';

function cacheOf(limit: number) {
  const encoded: string[] = [];
  const destroyed: string[] = [];
  const cache = new TextCache<string>(limit, (each) => destroyed.push(each));
  const lease = (key: string) =>
    cache.lease(key, () => {
      encoded.push(key);
      return Promise.resolve(`${key}!`);
    });
  return { cache, lease, encoded, destroyed };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test('a prompt is encoded once, and again when it is the oldest of too many', async () => {
  const { lease, encoded, destroyed } = cacheOf(2);
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) (await lease(key)).release();
  await settled();
  // c pushed b out, since a was used after it.
  expect(encoded).toEqual(['a', 'b', 'c', 'b']);
  expect(destroyed).toEqual(['b!', 'c!']);
});

test('what is in use is destroyed by its last user, once', async () => {
  const { lease, destroyed } = cacheOf(1);
  const first = await lease('a');
  const second = await lease('a');
  (await lease('b')).release();
  await settled();
  expect(destroyed).toEqual([]);
  first.release();
  first.release();
  expect(destroyed).toEqual([]);
  second.release();
  expect(destroyed).toEqual(['a!']);
});

test('two that ask at once share one encoding', async () => {
  const { lease, encoded } = cacheOf(2);
  const leases = await Promise.all([lease('a'), lease('a')]);
  expect(leases.map((each) => each.encoded)).toEqual(['a!', 'a!']);
  expect(encoded).toEqual(['a']);
});

test('a failure is not kept', async () => {
  const { cache, lease, encoded } = cacheOf(2);
  await expect(cache.lease('a', () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  expect((await lease('a')).encoded).toBe('a!');
  expect(encoded).toEqual(['a']);
});

test('with no room nothing outlives its use', async () => {
  const { lease, encoded, destroyed } = cacheOf(0);
  for (let i = 0; i < 2; i++) (await lease('a')).release();
  expect(encoded).toEqual(['a', 'a']);
  expect(destroyed).toEqual(['a!', 'a!']);
});

test('cleared, it keeps only what is in use until that is released', async () => {
  const { cache, lease, destroyed } = cacheOf(3);
  const used = await lease('a');
  (await lease('b')).release();
  cache.clear();
  await settled();
  expect(destroyed).toEqual(['b!']);
  used.release();
  expect(destroyed).toEqual(['b!', 'a!']);
});
