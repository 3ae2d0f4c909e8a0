import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { downloadBundle, type DownloadOptions } from '../../../src/bundle/download/download.ts';
import { PART_BYTES } from '../../../src/bundle/manifest.ts';
import type { LoadProgress } from '../../../src/bundle/progress.ts';
import { opfsFolder } from '../../../src/bundle/store/opfs-folder.ts';
import { openStoredBundle } from '../../../src/bundle/store/stored-bundle.ts';
import { diskFolder } from '../../../src/node/disk-folder.ts';
import type { TestFiles } from '../support/bundle-folder.ts';
import { type Behaviour, type BundleServer, serveBundle } from '../support/bundle-server.ts';
import { bundleWith, noise, withManifest } from '../support/download-bundle.ts';
import { MemoryFile, MemoryStorage } from '../support/opfs.ts';

const LARGE = 'trunk.data';
const STREAM = 't5.data';
const SMALL = 'head.data';
const FAST: DownloadOptions = { pauses: [0, 0, 0, 0, 0] };

let storage: MemoryStorage;
let server: BundleServer | undefined;
beforeEach(() => {
  storage = new MemoryStorage();
});
afterEach(() => server?.close());

async function serve({ files }: TestFiles, behaviour?: Behaviour): Promise<BundleServer> {
  await server?.close();
  server = await serveBundle(new Map(files), behaviour);
  return server;
}

/** As after a reload: only what is stored is left. */
async function download(options: DownloadOptions = {}): Promise<void> {
  const folder = opfsFolder(storage.root);
  try {
    await downloadBundle(server!.url, folder, { ...FAST, ...options });
  } finally {
    await folder.close().catch(() => undefined);
  }
}

function stored(folder = storage.root, before = ''): Map<string, Uint8Array> {
  return new Map(
    [...folder.items].flatMap(([name, item]): [string, Uint8Array][] =>
      item instanceof MemoryFile
        ? [[before + name, item.content]]
        : [...stored(item, `${before}${name}/`)],
    ),
  );
}

function expectWhole({ files }: TestFiles): void {
  const found = stored();
  expect([...found.keys()].sort()).toEqual([...files.keys()].sort());
  for (const [path, bytes] of files) {
    expect(Buffer.compare(found.get(path)!, bytes), path).toBe(0);
  }
}

async function failure(work: Promise<unknown>): Promise<Error & { code: string; hint: string }> {
  return work.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error as Error & { code: string; hint: string },
  );
}

const requestsOf = (path: string): string[] =>
  server!.requests.filter((request) => request.split(' ')[0] === path);

describe('a download', () => {
  test('gives the same bytes, and counts them', async () => {
    const made = bundleWith({ [LARGE]: noise(PART_BYTES + 5) });
    await serve(made);
    const reports: LoadProgress[] = [];
    const reserved: number[] = [];
    await download({
      onProgress: (progress) => reports.push(progress),
      reserve: (bytes) => Promise.resolve(void reserved.push(bytes)),
    });
    expectWhole(made);
    const total = Object.values(made.manifest.files).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(reserved).toEqual([total]);
    expect(reports.at(-1)).toMatchObject({ loadedBytes: total, totalBytes: total });
    expect(
      reports.every(({ loadedBytes }, i) => loadedBytes >= (reports[i - 1]?.loadedBytes ?? 0)),
    ).toBe(true);
    expect((await openStoredBundle(storage.root)).manifest).toEqual(made.manifest);
  });

  test('has no manifest before its end', async () => {
    const made = bundleWith({});
    await serve(made, { status: (path) => (path === 'head.data' ? 404 : undefined) });
    await failure(download());
    expect(stored().has('manifest.json')).toBe(false);
  });

  test('asks for nothing that is there', async () => {
    const made = bundleWith({ [LARGE]: noise(PART_BYTES + 5) });
    await serve(made);
    await download();
    server!.requests.length = 0;
    const reserved: number[] = [];
    await download({ reserve: (bytes) => Promise.resolve(void reserved.push(bytes)) });
    expect(server!.requests).toEqual(['manifest.json']);
    expect(reserved).toEqual([0]);
    expectWhole(made);
  });

  test('that finds no room fetches nothing', async () => {
    await serve(bundleWith({}));
    const full = new Error('full');
    expect(await failure(download({ reserve: () => Promise.reject(full) }))).toBe(full);
    expect(server!.requests).toEqual(['manifest.json']);
  });

  test('into a full storage says so and goes on later', async () => {
    const made = bundleWith({ [LARGE]: noise(2 * PART_BYTES) });
    await serve(made);
    storage.quota = PART_BYTES + 50_000;
    expect(await failure(download())).toMatchObject({ code: 'out-of-storage' });
    storage.quota = Infinity;
    server!.requests.length = 0;
    await download();
    expectWhole(made);
    expect(requestsOf(LARGE)).toEqual([`${LARGE} ${PART_BYTES}-${2 * PART_BYTES - 1}`]);
  });

  test('with an empty file', async () => {
    const made = bundleWith({ [SMALL]: new Uint8Array(0) });
    await serve(made);
    await download();
    expectWhole(made);
    const { files } = made.manifest;
    const wrong = { ...files, [SMALL]: { bytes: 0, sha256: '0'.repeat(64) } };
    await serve(withManifest(made, { ...made.manifest, files: wrong }));
    expect(await failure(download())).toMatchObject({ code: 'bad-bundle' });
  });

  test('of which two files are one path is refused', async () => {
    const made = bundleWith({ 'head.data/more': noise(10) });
    await serve(made);
    expect(await failure(download())).toMatchObject({ code: 'bad-bundle' });
  });
});

describe('what is damaged', () => {
  const flip =
    (path: string, at: number, times: number): NonNullable<Behaviour['corrupt']> =>
    (asked, body, from) => {
      if (asked !== path || at < from || at >= from + body.length || times === 0) return;
      times--;
      body[at - from]! ^= 1;
    };

  test('on the way is fetched again, the part alone', async () => {
    const made = bundleWith({ [LARGE]: noise(3 * PART_BYTES) });
    await serve(made, { corrupt: flip(LARGE, PART_BYTES + 7, 1) });
    await download();
    expectWhole(made);
    expect(requestsOf(LARGE)).toEqual([
      `${LARGE} 0-${3 * PART_BYTES - 1}`,
      `${LARGE} ${PART_BYTES}-${3 * PART_BYTES - 1}`,
    ]);
  });

  test('on the way twice is given up, and the parts before it stay', async () => {
    const made = bundleWith({ [LARGE]: noise(2 * PART_BYTES) });
    await serve(made, { corrupt: flip(LARGE, PART_BYTES + 7, 2) });
    const error = await failure(download());
    expect(error).toMatchObject({ code: 'bad-bundle' });
    expect(error.message).toMatch(/part 2 of trunk\.data is damaged.*[0-9a-f]{64}.*[0-9a-f]{64}/);
    expect(stored().get(LARGE)).toHaveLength(PART_BYTES);
  });

  test('in a file without hashes of parts: the file is fetched again, once', async () => {
    const made = bundleWith({ [STREAM]: noise(PART_BYTES + 100) }, [STREAM]);
    await serve(made, { corrupt: flip(STREAM, 50, 1) });
    await download();
    expectWhole(made);
    expect(requestsOf(STREAM)).toHaveLength(2);

    storage = new MemoryStorage();
    server!.behaviour = { corrupt: flip(STREAM, 50, 2) };
    const error = await failure(download());
    expect(error.message).toMatch(/t5\.data is damaged/);
    expect(error.code).toBe('bad-bundle');
  });

  test('in the storage: only the bad parts are fetched', async () => {
    const made = bundleWith({ [LARGE]: noise(4 * PART_BYTES + 9) });
    await serve(made);
    await download();
    const file = storage.root.items.get(LARGE) as MemoryFile;
    for (const part of [1, 4]) file.content[part * PART_BYTES + 5]! ^= 1;
    server!.requests.length = 0;
    await download();
    expectWhole(made);
    expect(requestsOf(LARGE)).toEqual([
      `${LARGE} ${PART_BYTES}-${2 * PART_BYTES - 1}`,
      `${LARGE} ${4 * PART_BYTES}-${4 * PART_BYTES + 8}`,
    ]);
  });

  test('in the storage, of a file without hashes of parts', async () => {
    const made = bundleWith({ [STREAM]: noise(PART_BYTES + 100) }, [STREAM]);
    await serve(made);
    await download();
    (storage.root.items.get(STREAM) as MemoryFile).content[5]! ^= 1;
    server!.requests.length = 0;
    // Even if it comes damaged once after that.
    server!.behaviour = { corrupt: flip(STREAM, 50, 1) };
    await download();
    expectWhole(made);
    expect(requestsOf(STREAM)).toHaveLength(2);
  });
});

describe('another version on the server', () => {
  test.each([true, false])('of a file that is half there (parts: %s)', async (parts) => {
    const old = bundleWith({ [LARGE]: noise(2 * PART_BYTES, 1) }, parts ? [] : [LARGE]);
    let etag = '"1"';
    await serve(old, {
      etag: () => etag,
      cutAfter: (path) => (path === LARGE ? PART_BYTES + 1000 : Infinity),
    });
    await failure(download({ pauses: [] }));
    const file = storage.root.items.get(LARGE) as MemoryFile;
    expect(file.content.length).toBe(PART_BYTES + (parts ? 0 : 1000));

    etag = '"2"';
    server!.files.set(LARGE, noise(2 * PART_BYTES, 2));
    server!.behaviour = { etag: () => etag };
    const error = await failure(download());
    expect(error).toMatchObject({ code: 'bad-bundle' });
    expect(error.message).toContain('trunk.data is damaged');

    // With the manifest that belongs to it, it is whole.
    const changed = bundleWith({ [LARGE]: noise(2 * PART_BYTES, 2) }, parts ? [] : [LARGE]);
    server!.files.set('manifest.json', changed.files.get('manifest.json')!);
    await download();
    expectWhole(changed);
  });

  test('while a file is on its way', async () => {
    const made = bundleWith({ [STREAM]: noise(PART_BYTES + 100) }, [STREAM]);
    let requests = 0;
    await serve(made, {
      etag: (path) => (path === STREAM ? `"${++requests === 1 ? 'old' : 'new'}"` : undefined),
      cutAfter: (path) => (path === STREAM && requests === 1 ? 5000 : Infinity),
      corrupt: (path, body) => void (path === STREAM && requests === 1 && body.fill(0)),
    });
    await download();
    expectWhole(made);
    // The second answer shows that the file has changed; the third begins anew.
    expect(requestsOf(STREAM).map((request) => request.split(' ')[1]!.split('-')[0])).toEqual([
      '0',
      '5000',
      '0',
    ]);
  });

  test('with every answer', async () => {
    const made = bundleWith({ [STREAM]: noise(PART_BYTES + 100) }, [STREAM]);
    let version = 0;
    await serve(made, {
      etag: () => `"${version++}"`,
      cutAfter: (path) => (path === STREAM ? 5000 : Infinity),
    });
    const error = await failure(download());
    expect(error).toMatchObject({ code: 'bad-bundle' });
    expect(error.message).toContain('changes while it is downloaded');
  });

  test('of the whole bundle: files of the old one go, what is the same stays', async () => {
    const old = bundleWith({ [LARGE]: noise(PART_BYTES), 'old/file': noise(10) });
    await serve(old);
    await download();
    const changed = bundleWith({ [LARGE]: noise(PART_BYTES), [SMALL]: noise(300, 9) });
    await serve(changed);
    await download();
    expect([...stored().keys()].sort()).toEqual([...changed.files.keys()].sort());
    expectWhole(changed);
    expect(requestsOf(LARGE)).toEqual([]);
    expect(requestsOf(SMALL)).toHaveLength(1);
  });

  test('after a download that was not finished: its files go too', async () => {
    await serve(bundleWith({ 'old/file': noise(10), 'zz/missing': noise(5) }), {
      status: (path) => (path === 'zz/missing' ? 404 : undefined),
    });
    await failure(download());
    expect(stored().has('old/file')).toBe(true);
    const changed = bundleWith({});
    await serve(changed);
    await download();
    expectWhole(changed);
  });
});

describe('what the server says', () => {
  test.each([
    [404, 'not-found', /There is no .*head\.data.*404/],
    [403, 'no-access', /head\.data may not be read.*403/],
    [401, 'no-access', /head\.data may not be read.*401/],
    [416, 'bad-bundle', /head\.data is shorter.*416/],
    [500, 'offline', /no .*head\.data at present.*500/],
    [503, 'offline', /no .*head\.data at present.*503/],
  ])('%i', async (status, code, message) => {
    await serve(bundleWith({}), {
      status: (path) => (path === SMALL ? status : undefined),
    });
    const error = await failure(download());
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.hint).not.toBe('');
    expect(requestsOf(SMALL)).toHaveLength(status >= 500 ? 6 : 1);
  });

  test('503 a few times', async () => {
    const made = bundleWith({});
    let busy = 5;
    await serve(made, { status: (path) => (path === SMALL && busy-- > 0 ? 503 : undefined) });
    await download();
    expectWhole(made);
  });

  test.each([{}, { ranges: false }, { chunked: true }])(
    'a file that is shorter or longer than the manifest says: %o',
    async (behaviour) => {
      const made = bundleWith({ [SMALL]: noise(900) });
      await serve(made, behaviour);
      server!.files.set(SMALL, noise(700));
      const error = await failure(download());
      expect(error.code).toBe('bad-bundle');
      expect(error.message).toMatch(/head\.data is cut short: .*700 bytes.*900/);

      const longer = noise(1000, 2);
      server!.files.set(SMALL, longer);
      expect(await failure(download())).toMatchObject({ code: 'bad-bundle' });
    },
  );

  test('nothing at all for a while', async () => {
    const made = bundleWith({});
    let silent = 2;
    await serve(made, {
      silentAfter: (path) => (path === SMALL && silent-- > 0 ? 100 : Infinity),
    });
    await download({ stall: 100 });
    expectWhole(made);
    expect(requestsOf(SMALL)).toHaveLength(3);

    storage = new MemoryStorage();
    server!.behaviour = { silentAfter: () => 10 };
    const error = await failure(download({ stall: 50, pauses: [0] }));
    expect(error.code).toBe('offline');
    expect(error.message).toContain('nothing came');
    expect(requestsOf('manifest.json')).toHaveLength(3);
  });

  test('nothing, since it is gone', async () => {
    await serve(bundleWith({}));
    const { url } = server!;
    await server!.close();
    const folder = opfsFolder(storage.root);
    const error = await failure(downloadBundle(url, folder, FAST));
    expect(error).toMatchObject({ code: 'offline' });
    expect(error.hint).toContain('connection');
  });

  test('a manifest without an end', async () => {
    const made = bundleWith({});
    made.files.set('manifest.json', new Uint8Array(17 * 2 ** 20).fill(0x20));
    await serve(made);
    expect(await failure(download())).toMatchObject({
      code: 'bad-bundle',
      message: expect.stringContaining('too long') as string,
    });
  });
});

describe('a cancel', () => {
  test('in the middle of a file', async () => {
    const made = bundleWith({ [LARGE]: noise(2 * PART_BYTES) });
    await serve(made, { silentAfter: (path) => (path === LARGE ? PART_BYTES + 10 : Infinity) });
    const abort = new AbortController();
    const error = await failure(
      download({
        signal: abort.signal,
        onProgress: ({ loadedBytes }) => loadedBytes > PART_BYTES && abort.abort(),
      }),
    );
    expect(error).toMatchObject({ code: 'cancelled' });
    server!.behaviour = {};
    server!.requests.length = 0;
    await download();
    expectWhole(made);
    expect(requestsOf(LARGE)).toEqual([`${LARGE} ${PART_BYTES}-${2 * PART_BYTES - 1}`]);
  });

  // As Node's does when what listens was collected as garbage.
  test.each(['cancel', 'stall'])('that fetch does not hear of: %s', async (what) => {
    await serve(bundleWith({}), { silentAfter: (path) => (path === SMALL ? 0 : Infinity) });
    const deaf: typeof fetch = (address, init) => fetch(address, { ...init, signal: null });
    const abort = new AbortController();
    setTimeout(() => what === 'cancel' && abort.abort(), 300);
    const stall = what === 'stall' ? 100 : 60_000;
    const options = { fetch: deaf, signal: abort.signal, stall, pauses: [0] };
    const error = await failure(download(options));
    expect(error.code).toBe(what === 'stall' ? 'offline' : 'cancelled');
  });

  test('in a pause', async () => {
    await serve(bundleWith({}), { status: (path) => (path === SMALL ? 503 : undefined) });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 200);
    const error = await failure(download({ pauses: [60_000], signal: abort.signal }));
    expect(error).toMatchObject({ code: 'cancelled' });
  });

  test('before it begins', async () => {
    await serve(bundleWith({}));
    const error = await failure(download({ signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: 'cancelled' });
  });
});

describe('killed ten times at random points, on a bad network', () => {
  const made = bundleWith(
    { [LARGE]: noise(2 * PART_BYTES + 12_345, 3), [STREAM]: noise(PART_BYTES + 54_321, 4) },
    [STREAM],
  );
  const total = [...made.files.values()].reduce((sum, { length }) => sum + length, 0);
  const draws = new Uint32Array(noise(40_000, 7).buffer).values();
  const random = (limit: number): number => draws.next().value! % limit;
  /** Cuts one in three connections; corrupts one answer in all. */
  function badNetwork(ranges: boolean): Behaviour {
    let corrupt = 1;
    return {
      ranges,
      etag: (path) => (path === LARGE ? undefined : '"1"'),
      cutAfter: (path) => (path !== 'manifest.json' && random(3) === 0 ? random(total) : Infinity),
      corrupt: (path, body) => {
        if (path === STREAM && body.length > 0 && corrupt-- > 0) body[random(body.length)]! ^= 1;
      },
    };
  }

  test.each([true, false])(
    'in memory, losing what was not flushed (ranges: %s)',
    async (ranges) => {
      await serve(made, badNetwork(ranges));
      const options = { pauses: Array.from({ length: 30 }, () => 0) };
      for (let kills = 0; kills < 10;) {
        storage.crashAfter = 1 + random(total);
        await download(options).then(
          () => storage.root.items.clear(), // it got through: once more
          () => kills++,
        );
        storage.crash();
      }
      await download(options);
      expectWhole(made);
    },
  );

  test('on disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'download-'));
    await serve(made, badNetwork(true));
    const attempt = async (signal?: AbortSignal): Promise<void> => {
      const target = diskFolder(folder);
      const pauses = Array.from({ length: 30 }, () => 0);
      await downloadBundle(server!.url, target, { pauses, ...(signal && { signal }) }).finally(() =>
        target.close(),
      );
    };
    for (let kills = 0; kills < 10; kills++) {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), random(300));
      await attempt(abort.signal).catch((error: unknown) =>
        expect(error).toMatchObject({ code: 'cancelled' }),
      );
    }
    await attempt();
    for (const [path, bytes] of made.files) {
      expect(Buffer.compare(await readFile(join(folder, path)), bytes), path).toBe(0);
    }
    expect(await readdir(folder)).not.toContain('download.log');
    await rm(folder, { recursive: true });
  });
});

test('any network that gets a byte through now and then gives the same bytes', async () => {
  const made = bundleWith({ [LARGE]: noise(60_000), [SMALL]: noise(3000, 5) });
  await serve(made);
  const behaviour = fc.record({
    ranges: fc.boolean(),
    chunked: fc.boolean(),
    etags: fc.boolean(),
    cuts: fc.array(fc.nat(70_000), { maxLength: 6 }),
    busy: fc.array(fc.boolean(), { maxLength: 4 }),
    kills: fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(behaviour, async ({ ranges, chunked, etags, cuts, busy, kills }) => {
      storage = new MemoryStorage();
      const left = [...cuts];
      const refusals = [...busy];
      server!.behaviour = {
        ranges,
        chunked,
        etag: () => (etags ? '"1"' : undefined),
        cutAfter: (path) => (path === 'manifest.json' ? Infinity : (left.pop() ?? Infinity)),
        status: (path) => (path !== 'manifest.json' && refusals.pop() ? 503 : undefined),
      };
      const options = { pauses: Array.from({ length: 12 }, () => 0) };
      for (const kill of kills) {
        storage.crashAfter = kill;
        await download(options).catch(() => undefined);
        storage.crash();
      }
      await download(options);
      expectWhole(made);
    }),
    { numRuns: 40 },
  );
});
