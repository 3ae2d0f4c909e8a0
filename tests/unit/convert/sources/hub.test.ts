/** The hub client against a server that imitates the few addresses that it asks for. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { Source } from '../../../../src/convert/files.ts';
import { parseHubAddress, sourceAt } from '../../../../src/convert/sources/address.ts';
import { hubSource, type HubOptions } from '../../../../src/convert/sources/hub.ts';
import { give, refuse, serve, type TestServer } from './server.ts';

const WEIGHTS = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const FILES: Record<string, Uint8Array | string> = {
  'README.md': 'hello',
  'transformer/model.safetensors': WEIGHTS,
  'ae.safetensors': WEIGHTS.slice(0, 10),
};
const QUICK = { pauses: [1, 2] };

let server: TestServer;
afterEach(() => (server as TestServer | undefined)?.close());

/** Lists two files a page; the handler sees every request first and may answer it. */
async function start(
  handler: (request: IncomingMessage, response: ServerResponse, path: string) => unknown = () =>
    undefined,
): Promise<void> {
  const entries = [
    { type: 'directory', size: 0, path: 'transformer' },
    ...Object.entries(FILES).map(([path, file]) => ({ type: 'file', size: file.length, path })),
  ];
  server = await serve((request, response, path) => {
    handler(request, response, path);
    if (response.writableEnded || response.destroyed || request.socket.destroyed) return;
    if (path === '/api/models/org/flux/tree/main') {
      const later = new URL(request.url!, server.url).searchParams.has('cursor');
      const next = `${server.url}${request.url}&cursor=2`;
      if (!later) response.setHeader('link', `<${next}>; rel="next"`);
      response.end(JSON.stringify(later ? entries.slice(2) : entries.slice(0, 2)));
      return;
    }
    const file = /^\/org\/flux\/resolve\/main\/(.+)$/.exec(path)?.[1];
    if (file === undefined) refuse(response, 404);
    else give(request, response, FILES[file]);
  });
}

const opened = (options: Partial<HubOptions> = {}): Source =>
  hubSource({ repo: 'org/flux', hubUrl: server.url, ...QUICK, ...options });

test('lists all files, and reads parts of them', async () => {
  await start();
  const source = opened();
  expect(source.name).toBe(`${server.url}/org/flux`);
  expect(await source.list()).toEqual(Object.keys(FILES));
  expect(await source.has('ae.safetensors')).toBe(true);
  expect(await source.has('transformer')).toBe(false);
  const path = 'transformer/model.safetensors';
  expect(await source.size(path)).toBe(1000);
  expect(await source.read(path, 100, 50)).toEqual(WEIGHTS.slice(100, 150));
  expect(await source.read(path, 0, 1000)).toEqual(WEIGHTS);
  expect(new TextDecoder().decode(await source.read('README.md', 0, 5))).toBe('hello');
  expect(server.requests).toContain(`GET /org/flux/resolve/main/${path} bytes=100-149`);
  // One page of the list after the other, once.
  expect(server.requests.filter((request) => request.includes('/tree/'))).toHaveLength(2);
  await expect(source.read(path, 999, 2)).rejects.toMatchObject({ code: 'bad-checkpoint' });
  await expect(source.read('none', 0, 1)).rejects.toMatchObject({ code: 'not-found' });
});

test('sends the token', async () => {
  const seen = new Set<string | undefined>();
  await start((request) => seen.add(request.headers.authorization));
  await opened({ token: 'hf_abc' }).read('ae.safetensors', 0, 2);
  expect([...seen]).toEqual(['Bearer hf_abc']);
  expect(() => opened({ token: 'abc' })).toThrow(expect.objectContaining({ code: 'bad-request' }));
});

test('counts one file alone where it was asked for', async () => {
  await start();
  const source = sourceAt('https://huggingface.co/org/flux/blob/main/ae.safetensors', {
    ...QUICK,
    hubUrl: server.url,
  });
  expect(await source.list()).toEqual(['ae.safetensors']);
  expect(await source.read('ae.safetensors', 3, 2)).toEqual(WEIGHTS.slice(3, 5));
});

describe('says', () => {
  test.each([401, 403])('that a gated model needs consent and a token: %i', async (status) => {
    await start((_, response, path) => {
      if (path.includes('/resolve/')) refuse(response, status);
    });
    for (const token of [undefined, 'hf_abc']) {
      const source = opened(token === undefined ? {} : { token });
      expect(await source.has('ae.safetensors')).toBe(true);
      await expect(source.read('ae.safetensors', 0, 1)).rejects.toMatchObject({
        code: 'no-access',
        message: expect.stringContaining('ae.safetensors may not be read') as string,
        hint: expect.stringMatching(
          /ccept (its|the) licence at https:\/\/huggingface.co\/org\/flux.*token/,
        ) as string,
      });
    }
  });

  test('that there is no such repository', async () => {
    await start();
    await expect(opened({ repo: 'org/none' }).list()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('org/none') as string,
    });
    await expect(opened({ revision: 'none' }).list()).rejects.toMatchObject({ code: 'not-found' });
  });

  test('that there is no connection', async () => {
    await start();
    await server.close();
    await expect(opened().list()).rejects.toMatchObject({ code: 'offline' });
  });

  test('that reading was cancelled', async () => {
    await start();
    const signal = AbortSignal.abort();
    await expect(opened({ signal }).list()).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test('asks again for what a busy server or a lost connection kept back', async () => {
  let asked = 0;
  await start((request, response) => {
    asked++;
    if (asked === 1) refuse(response, 503);
    if (request.headers.range === 'bytes=5-6' && asked < 6) request.socket.destroy();
  });
  expect(await opened().read('ae.safetensors', 5, 2)).toEqual(WEIGHTS.slice(5, 7));
  // Busy, two pages, an address; then the lost part, a new address, and the part.
  expect(asked).toBe(7);
});

test('asks for a new address when the old one has expired', async () => {
  let expired = false;
  await start((request, response) => {
    const part = request.headers.range === 'bytes=2-3';
    if (part && !expired) refuse(response, 403);
    expired ||= part;
  });
  const source = opened();
  expect(await source.read('ae.safetensors', 0, 2)).toEqual(WEIGHTS.slice(0, 2));
  expect(await source.read('ae.safetensors', 2, 2)).toEqual(WEIGHTS.slice(2, 4));
  expect(expired).toBe(true);
});

test('a revision may have a slash in its name', async () => {
  let asked = '';
  await start((request, response) => {
    asked = request.url!;
    response.end('[]');
  });
  expect(await opened({ revision: 'refs/pr/1' }).list()).toEqual([]);
  expect(asked).toContain('/api/models/org/flux/tree/refs%2Fpr%2F1?');
});

const inFlux = (file: string): object => ({ repo: 'org/flux', revision: 'main', file });

test.each<[string, object | undefined]>([
  ['org/flux', { repo: 'org/flux' }],
  [' org/FLUX.1-dev@v2 ', { repo: 'org/FLUX.1-dev', revision: 'v2' }],
  ['https://huggingface.co/org/flux', { repo: 'org/flux' }],
  ['https://huggingface.co/org/flux/?x=1#y', { repo: 'org/flux' }],
  ['https://huggingface.co/org/flux@abc', { repo: 'org/flux', revision: 'abc' }],
  [
    'https://huggingface.co/org/flux/tree/refs%2Fpr%2F1',
    { repo: 'org/flux', revision: 'refs/pr/1' },
  ],
  ['https://hf.co/org/flux/tree/dev/vae', { repo: 'org/flux', revision: 'dev' }],
  ['https://huggingface.co/org/flux/blob/main/a/b.safetensors', inFlux('a/b.safetensors')],
  [
    'https://huggingface.co/org/flux/resolve/main/a.safetensors?download=true',
    inFlux('a.safetensors'),
  ],
  ['https://huggingface.co/org/flux/discussions', { repo: 'org/flux' }],
  ['https://huggingface.co/org/%zz', undefined],
  ['https://example.org/org/flux', undefined],
  ['org/flux/vae', undefined],
  ['flux', undefined],
  ['../flux one', undefined],
])('"%s" is known for a repository, or not', (text, expected) => {
  expect(parseHubAddress(text)).toEqual(expected);
});
