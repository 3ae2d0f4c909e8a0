import { afterEach, describe, expect, test, vi } from 'vitest';
import { openBundleUrl, type OpenOptions } from '../../../src/bundle/bundle.ts';
import { PART_BYTES } from '../../../src/bundle/manifest.ts';
import type { LoadProgress } from '../../../src/bundle/progress.ts';
import { AppError, type ErrorCode } from '../../../src/shared/errors.ts';
import { testBundleFiles, type TestFiles } from '../support/bundle-folder.ts';
import { bundleWith, noise, withManifest } from '../support/download-bundle.ts';

const URL_ = 'https://models.example/pocket';
const PATH = 'trunk.data';

afterEach(() => vi.unstubAllGlobals());

/** A static host over these files; it answers in parts of so many bytes. */
function host({ files }: TestFiles, part = 300): typeof fetch {
  return (input, init) => {
    init?.signal?.throwIfAborted();
    const path = String(input).slice(URL_.length + 1);
    const bytes = files.get(path);
    if (!bytes) return Promise.resolve(new Response('not here', { status: 404 }));
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (let i = 0; i < bytes.length; i += part) controller.enqueue(bytes.slice(i, i + part));
        controller.close();
      },
    });
    return Promise.resolve(new Response(body));
  };
}

async function failure(work: Promise<unknown>, code: ErrorCode): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).code).toBe(code);
  expect((error as AppError).hint).not.toBe('');
  return error as AppError;
}

const open = (bundle: TestFiles, options: OpenOptions = {}): ReturnType<typeof openBundleUrl> =>
  openBundleUrl(URL_, { fetch: host(bundle), ...options });

test('reads files by path, whole and checked', async () => {
  const made = testBundleFiles();
  const bundle = await open(made);
  expect(bundle.manifest).toEqual(made.manifest);
  for (const path of Object.keys(made.manifest.files)) {
    expect(await bundle.read(path)).toEqual(made.files.get(path));
  }
});

describe('a file as a Blob', () => {
  const LENGTH = 2 * PART_BYTES + 1000;
  const bytes = noise(LENGTH);
  /** Has ranges, which the host above has not. */
  const withRanges =
    ({ files }: TestFiles, asked: string[]): typeof fetch =>
    (input, init) => {
      const whole = files.get(String(input).slice(URL_.length + 1))!;
      const range = new Headers(init?.headers).get('range');
      if (range === null) return Promise.resolve(new Response(whole));
      asked.push(range);
      const [from, to] = range.match(/\d+/g)!.map(Number);
      return Promise.resolve(new Response(whole.slice(from, to! + 1), { status: 206 }));
    };

  test.each([true, false])('is the same, in ranges or not (hashes of parts: %s)', async (parts) => {
    const made = bundleWith({ [PATH]: bytes }, parts ? [] : [PATH]);
    const asked: string[] = [];
    for (const fetch of [host(made, 2 ** 20), withRanges(made, asked)]) {
      const loaded: number[] = [];
      const bundle = await openBundleUrl(URL_, {
        fetch,
        onProgress: ({ loadedBytes }) => loaded.push(loadedBytes),
      });
      const blob = await bundle.blob(PATH);
      expect(Buffer.compare(new Uint8Array(await blob.arrayBuffer()), bytes)).toBe(0);
      expect(loaded.at(-1)).toBe(LENGTH);
      const small = await bundle.blob('head.data');
      expect(new Uint8Array(await small.arrayBuffer())).toEqual(made.files.get('head.data'));
    }
    expect(asked).toEqual([
      `bytes=0-${PART_BYTES - 1}`,
      `bytes=${PART_BYTES}-${2 * PART_BYTES - 1}`,
      `bytes=${2 * PART_BYTES}-${LENGTH - 1}`,
    ]);
  });

  test.each([true, false])('is verified (hashes of parts: %s)', async (parts) => {
    const made = bundleWith({ [PATH]: bytes }, parts ? [] : [PATH]);
    const changed = bytes.slice();
    changed[PART_BYTES + 3]! ^= 1;
    made.files.set(PATH, changed);
    made.files.set('head.data', new Uint8Array(10));
    for (const fetch of [host(made, 2 ** 20), withRanges(made, [])]) {
      const bundle = await openBundleUrl(URL_, { fetch });
      const error = await failure(bundle.blob(PATH), 'bad-bundle');
      expect(error.message).toMatch(parts ? /part 2 of trunk\.data/ : /file trunk\.data/);
      await failure(bundle.blob('head.data'), 'bad-bundle');
    }
    made.files.set(PATH, bytes.slice(0, -1));
    for (const fetch of [host(made, 2 ** 20), withRanges(made, [])]) {
      const bundle = await openBundleUrl(URL_, { fetch });
      const error = await failure(bundle.blob(PATH), 'bad-bundle');
      expect(error.message).toContain('is cut short');
    }
  });

  test('that lists a wrong number of parts', async () => {
    const made = bundleWith({ [PATH]: bytes });
    const entry = made.manifest.files[PATH]!;
    const files = { ...made.manifest.files, [PATH]: { ...entry, parts: entry.parts!.slice(1) } };
    const changed = withManifest(made, { ...made.manifest, files });
    const error = await failure((await open(changed)).blob(PATH), 'bad-bundle');
    expect(error.message).toContain('2 parts of trunk.data, which has 3');
  });
});

test.each([
  [403, 'no-access', /may not be read.*403/],
  [404, 'not-found', /There is no.*404/],
  [503, 'offline', /at present.*503/],
] as const)('a server that answers %i', async (status, code, message) => {
  const refusing: typeof fetch = () => Promise.resolve(new Response('', { status }));
  const error = await failure(openBundleUrl(URL_, { fetch: refusing }), code);
  expect(error.message).toMatch(message);
});

test('a missing manifest is named', async () => {
  const made = testBundleFiles();
  made.files.delete('manifest.json');
  const error = await failure(open(made), 'not-found');
  expect(error.message).toContain(`${URL_}/manifest.json`);
  expect(error.message).toContain('404');
});

test('a host that answers everything with a page has no manifest', async () => {
  const page: typeof fetch = () =>
    Promise.resolve(new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }));
  await failure(openBundleUrl(URL_, { fetch: page }), 'not-found');
});

test('a file that is not there', async () => {
  const made = testBundleFiles();
  made.files.delete(PATH);
  const error = await failure((await open(made)).read(PATH), 'not-found');
  expect(error.message).toContain(PATH);
});

test('a file that is cut short gives both sizes', async () => {
  const made = testBundleFiles();
  const whole = made.files.get(PATH)!;
  made.files.set(PATH, whole.slice(0, -1));
  const error = await failure((await open(made)).read(PATH), 'bad-bundle');
  expect(error.message).toMatch(
    new RegExp(`${PATH} is cut short: .*${whole.length - 1} bytes.*${whole.length}`),
  );
});

test('a file that is too long is not read to its end', async () => {
  const made = testBundleFiles();
  made.files.set(PATH, new Uint8Array(5000));
  const error = await failure((await open(made)).read(PATH), 'bad-bundle');
  expect(error.message).toContain('is too long');
});

test('one changed byte gives path, expected and actual hash', async () => {
  const made = testBundleFiles();
  const changed = made.files.get(PATH)!.slice();
  changed[500]! ^= 1;
  made.files.set(PATH, changed);
  const error = await failure((await open(made)).read(PATH), 'bad-bundle');
  expect(error.message).toContain(PATH);
  expect(error.message).toContain(made.manifest.files[PATH]!.sha256);
  expect(error.message.match(/[0-9a-f]{64}/g)).toHaveLength(2);
});

test('without a connection', async () => {
  const offline: typeof fetch = () => Promise.reject(new TypeError('Failed to fetch'));
  const error = await failure(openBundleUrl(URL_, { fetch: offline }), 'offline');
  expect(error.message).not.toContain('this device is offline');
  expect(error.hint).toContain('connection');
  vi.stubGlobal('navigator', { onLine: false });
  const known = await failure(openBundleUrl(URL_, { fetch: offline }), 'offline');
  expect(known.message).toContain('this device is offline');
  expect(known.hint).toContain('connection');
});

test('a connection that breaks in the middle of a file', async () => {
  const made = testBundleFiles();
  const whole = host(made);
  const breaking: typeof fetch = (input, init) =>
    String(input).endsWith(PATH)
      ? Promise.resolve(
          new Response(
            new ReadableStream({
              pull: (controller) => controller.error(new TypeError('network error')),
            }),
          ),
        )
      : whole(input, init);
  const bundle = await openBundleUrl(URL_, { fetch: breaking });
  await failure(bundle.read(PATH), 'offline');
});

test('an address that is none', async () => {
  await failure(openBundleUrl('models/pocket', { fetch: host(testBundleFiles()) }), 'bad-request');
});

test('a file that does not fit into memory', async () => {
  const made = testBundleFiles();
  const huge = { ...made.manifest.files[PATH]!, bytes: 2 ** 40 };
  const files = { ...made.manifest.files, [PATH]: huge };
  made.files.set(
    'manifest.json',
    new TextEncoder().encode(JSON.stringify({ ...made.manifest, files })),
  );
  const error = await failure((await open(made)).read(PATH), 'out-of-memory');
  expect(error.message).toContain(PATH);
});

test('a cancel ends loading', async () => {
  const abort = new AbortController();
  const bundle = await open(testBundleFiles(), { signal: abort.signal });
  abort.abort();
  await failure(bundle.read(PATH), 'cancelled');
});

test.each(['other.onnx', '../manifest.json', 'manifest.json', 'toString', '__proto__'])(
  'the path %s is refused because the manifest does not list it',
  async (path) => {
    const error = await failure((await open(testBundleFiles())).read(path), 'bad-bundle');
    expect(error.message).toContain(path);
  },
);

test.each([PATH, 'trunk.float16.onnx', 'head.float32.onnx', 'tokenizer/tokenizer.json'])(
  'a bundle that names %s but does not list it is refused at open',
  async (path) => {
    const made = testBundleFiles();
    const files = Object.fromEntries(
      Object.entries(made.manifest.files).filter(([listed]) => listed !== path),
    );
    made.files.set(
      'manifest.json',
      new TextEncoder().encode(JSON.stringify({ ...made.manifest, files })),
    );
    const error = await failure(open(made), 'bad-bundle');
    expect(error.message).toContain(path);
  },
);

test.each([
  ['{ "format": ', 'not valid JSON'],
  ['{}', 'format'],
  [JSON.stringify({ ...testBundleFiles().manifest, version: 2 }), 'version'],
  [
    JSON.stringify({
      ...testBundleFiles().manifest,
      tokenizers: { t5: '../../etc/passwd', clip: 'a' },
    }),
    'tokenizers.t5',
  ],
])('the manifest %.40s is refused: %s', async (text, reason) => {
  const made = testBundleFiles();
  made.files.set('manifest.json', new TextEncoder().encode(text));
  const error = await failure(open(made), 'bad-bundle');
  expect(error.message).toContain(reason);
});

test('progress rises to the total of one precision, in words', async () => {
  const made = testBundleFiles();
  const reports: LoadProgress[] = [];
  const bundle = await open(made, { onProgress: (progress) => reports.push(progress) });
  const paths = Object.keys(made.manifest.files).filter((path) => !path.includes('float32'));
  for (const path of paths) await bundle.read(path);
  await bundle.read(paths[0]!);
  const last = reports.at(-1)!;
  expect(last.loadedBytes).toBe(last.totalBytes);
  for (const [i, report] of reports.entries()) {
    expect(report.loadedBytes).toBeGreaterThanOrEqual(reports[i - 1]?.loadedBytes ?? 0);
    expect(report.loadedBytes).toBeLessThanOrEqual(report.totalBytes);
  }
  expect(new Set(reports.map(({ what }) => what))).toEqual(
    new Set(['tokenizers', 'text encoders', 'transformer', 'picture decoder']),
  );
});
