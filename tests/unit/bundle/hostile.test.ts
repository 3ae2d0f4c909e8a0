/** Manifests as an enemy would write them: nothing outside the folder, no memory by their numbers. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { openBundleUrl } from '../../../src/bundle/bundle.ts';
import { downloadBundle } from '../../../src/bundle/download/download.ts';
import { PART_BYTES } from '../../../src/bundle/manifest.ts';
import { opfsFolder } from '../../../src/bundle/store/opfs-folder.ts';
import { AppError } from '../../../src/shared/errors.ts';
import { diskFolder } from '../../../src/node/disk-folder.ts';
import { testBundleFiles, type TestFiles } from '../support/bundle-folder.ts';
import { sha256 } from '../support/download-bundle.ts';
import { BAD_PATHS } from '../support/folder-checks.ts';
import { MemoryStorage } from '../support/opfs.ts';

const BASE = 'https://models.example/deep/model/';
const CONTENT = new TextEncoder().encode('mine');
const SHA256 = sha256(CONTENT);
const MODEL = 'a/b/model';

/** A server that has whatever it is asked for. */
function serverOf(manifest: unknown, asked: string[] = []): typeof fetch {
  return (input) => {
    const address = String(input);
    asked.push(address);
    return Promise.resolve(
      new Response(address === `${BASE}manifest.json` ? JSON.stringify(manifest) : CONTENT),
    );
  };
}

/** Downloads into MODEL in an outer folder; gives the files in that one afterwards. */
async function downloadedBeside(manifest: unknown, asked: string[]): Promise<string[]> {
  const outer = await mkdtemp(join(tmpdir(), 'hostile-'));
  const folder = diskFolder(join(outer, MODEL));
  const error: unknown = await downloadBundle(BASE, folder, {
    fetch: serverOf(manifest, asked),
    pauses: [],
  }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await folder.close();
  if (error !== undefined) expect(error).toBeInstanceOf(AppError);
  const found = await readdir(outer, { recursive: true, withFileTypes: true });
  await rm(outer, { recursive: true });
  return found
    .filter((item) => item.isFile())
    .map((item) => relative(outer, join(item.parentPath, item.name)));
}

const whole = testBundleFiles().manifest;
/** Any part of the manifest replaced by anything, and files by any path. */
const path = fc.oneof(
  fc.constantFrom(...BAD_PATHS, 'a', 'a/b', 'a/b/c', 'manifest.json', '__proto__', 'download.log'),
  fc.string({ unit: 'binary' }),
  fc.webUrl(),
);
const number = fc.oneof(
  fc.constantFrom(0, -1, 4, 2 ** 24, 2 ** 31, 2 ** 32 + 1, 2 ** 40, 2 ** 60, 1e308, NaN),
  fc.double(),
);
const entry = fc.oneof(
  fc.record(
    {
      bytes: number,
      sha256: fc.oneof(fc.constant(SHA256), fc.string()),
      parts: fc.array(fc.constantFrom(SHA256, 'x'), { maxLength: 5 }),
    },
    { requiredKeys: [] },
  ),
  fc.json().map((text) => JSON.parse(text) as unknown),
);
const files = fc
  .array(fc.tuple(path, entry), { maxLength: 8 })
  // Not spread: `__proto__` must stay a key, as JSON.parse makes it.
  .map((added) => Object.fromEntries([...Object.entries(whole.files), ...added]));
const manifests = fc.oneof(
  files.map((changed) => ({ ...whole, files: changed })),
  fc.tuple(fc.constantFrom(...Object.keys(whole)), fc.json()).map(([key, value]) => ({
    ...whole,
    [key]: JSON.parse(value) as unknown,
  })),
  fc.tuple(path, path).map(([t5, clip]) => ({ ...whole, tokenizers: { t5, clip } })),
  fc.json().map((text) => JSON.parse(text) as unknown),
);

let storage: MemoryStorage;
beforeEach(() => {
  storage = new MemoryStorage();
});

test('nothing is written or asked for outside the folder', async () => {
  let written = 0;
  await fc.assert(
    fc.asyncProperty(manifests, async (manifest) => {
      const asked: string[] = [];
      const found = await downloadedBeside(manifest, asked);
      written += found.length;
      for (const file of found) expect(file.startsWith(`${MODEL}/`), file).toBe(true);
      for (const address of asked) expect(address.startsWith(BASE), address).toBe(true);
    }),
    { numRuns: 600 },
  );
  // Enough are taken to show something: about 360 files, of which chance takes or gives a hundred.
  expect(written).toBeGreaterThan(100);
});

test.each(BAD_PATHS)('a file "%s" is refused', async (bad) => {
  const entries = { ...whole.files, [bad]: { bytes: 4, sha256: SHA256 } };
  const asked: string[] = [];
  const allowed = [...Object.keys(whole.files), 'download.log'].map((name) => `${MODEL}/${name}`);
  for (const file of await downloadedBeside({ ...whole, files: entries }, asked)) {
    expect(allowed).toContain(file);
  }
  expect(asked).toEqual([`${BASE}manifest.json`]);
});

test.each(['manifest.json', 'download.log'])('a file %s of its own is refused', async (name) => {
  const entries = { ...whole.files, [name]: { bytes: 4, sha256: SHA256 } };
  const fetch = serverOf({ ...whole, files: entries });
  const folder = opfsFolder(storage.root);
  await expect(downloadBundle(BASE, folder, { fetch })).rejects.toMatchObject({
    code: 'bad-bundle',
    message: expect.stringContaining(name) as string,
  });
});

const sizes = [2 ** 25, 2 ** 31, 2 ** 32, 2 ** 33, 2 ** 40];

/** A bundle one of whose files is said to have so many bytes. */
function claiming(bytes: number, parts = false): TestFiles['manifest'] {
  const list = Array.from({ length: Math.ceil(bytes / PART_BYTES) }, () => SHA256);
  const large = { bytes, sha256: SHA256, ...(parts && { parts: list }) };
  return { ...whole, files: { ...whole.files, 'trunk.data': large } };
}

/** The most memory for arrays while `work` goes on, in bytes more than before. */
async function mostAllocated(work: () => Promise<unknown>): Promise<number> {
  const allocated: number[] = [];
  const original = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, given: [unknown]) {
      if (typeof given[0] === 'number') allocated.push(given[0]);
      return Reflect.construct(target, given) as object;
    },
  });
  try {
    await work();
  } finally {
    globalThis.Uint8Array = original;
  }
  return Math.max(0, ...allocated);
}

test.each(sizes)('a file that is said to have %i bytes takes no memory for them', async (bytes) => {
  const outer = await mkdtemp(join(tmpdir(), 'hostile-'));
  for (const parts of [false, true]) {
    const manifest = claiming(bytes, parts);
    const fetch = serverOf(manifest);
    const ends = async (work: Promise<unknown>): Promise<void> => {
      await expect(work).rejects.toBeInstanceOf(AppError);
    };
    const most = await mostAllocated(async () => {
      const folder = diskFolder(outer);
      await ends(downloadBundle(BASE, folder, { fetch, pauses: [] }));
      await folder.close();
      const bundle = await openBundleUrl(BASE, { fetch });
      await ends(bundle.read('trunk.data'));
      await ends(bundle.blob('trunk.data'));
    });
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(PART_BYTES);
  }
  await rm(outer, { recursive: true });
});

test('the sum of all files is what room is asked for', async () => {
  const reserve = (bytes: number): Promise<void> => {
    expect(bytes).toBeGreaterThan(2 ** 40);
    return Promise.reject(new AppError('out-of-storage', 'full', ''));
  };
  const asked: string[] = [];
  await expect(
    downloadBundle(BASE, opfsFolder(storage.root), {
      fetch: serverOf(claiming(2 ** 40), asked),
      reserve,
    }),
  ).rejects.toMatchObject({ code: 'out-of-storage' });
  expect(asked).toEqual([`${BASE}manifest.json`]);
});
