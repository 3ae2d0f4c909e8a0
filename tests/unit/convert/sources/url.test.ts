import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { urlSource } from '../../../../src/convert/sources/url.ts';
import { give, refuse, serve, type TestServer } from './server.ts';

const WEIGHTS = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const FILES: Record<string, Uint8Array | string> = {
  '/m/config.json': '{"a":1}',
  '/m/transformer/model.safetensors': WEIGHTS,
  '/a b.safetensors': WEIGHTS,
};
const QUICK = { pauses: [1, 2] };

let server: TestServer;
afterEach(() => (server as TestServer | undefined)?.close());

/** The handler sees every request first; it answers, or leaves it to the files. */
async function start(
  handler: (request: IncomingMessage, response: ServerResponse, path: string) => unknown = () =>
    undefined,
): Promise<void> {
  server = await serve((request, response, path) => {
    handler(request, response, path);
    if (!response.writableEnded && !response.headersSent && !response.destroyed) {
      give(request, response, FILES[path]);
    }
  });
}

test('a folder: small files whole and once, weights in parts', async () => {
  await start();
  const source = urlSource(`${server.url}/m?key=secret`, QUICK);
  expect(source.name).toBe(`${server.url}/m`);
  expect(await source.list()).toEqual([]);
  expect(await source.has('config.json')).toBe(true);
  expect(await source.has('none.json')).toBe(false);
  expect(await source.has('none.safetensors')).toBe(false);
  expect(await source.size('config.json')).toBe(7);
  expect(new TextDecoder().decode(await source.read('config.json', 1, 3))).toBe('"a"');
  const path = 'transformer/model.safetensors';
  expect(await source.size(path)).toBe(1000);
  expect(await source.read(path, 100, 50)).toEqual(WEIGHTS.slice(100, 150));
  expect(await source.read(path, 999, 1)).toEqual(WEIGHTS.slice(999));
  expect(await source.read(path, 1000, 0)).toHaveLength(0);
  expect(server.requests).toEqual([
    'GET /m/config.json',
    'GET /m/none.json',
    'GET /m/none.safetensors bytes=0-0',
    `GET /m/${path} bytes=0-0`,
    `GET /m/${path} bytes=100-149`,
    `GET /m/${path} bytes=999-999`,
  ]);
  await expect(source.read(path, 990, 11)).rejects.toMatchObject({ code: 'bad-checkpoint' });
  await expect(source.read('config.json', 6, 2)).rejects.toMatchObject({ code: 'bad-checkpoint' });
});

test('a single file, with what its address asks for', async () => {
  const asked: (string | undefined)[] = [];
  await start((request) => asked.push(request.url));
  const source = urlSource(`${server.url}/a%20b.safetensors?download=true`, QUICK);
  expect(await source.list()).toEqual(['a b.safetensors']);
  expect(await source.read('a b.safetensors', 5, 2)).toEqual(WEIGHTS.slice(5, 7));
  expect(new Set(asked)).toEqual(new Set(['/a%20b.safetensors?download=true']));
});

test.each(['ftp://x/y', 'flux', ''])('"%s" is no web address', (address) => {
  expect(() => urlSource(address)).toThrow(expect.objectContaining({ code: 'bad-request' }));
});

describe('a server that', () => {
  const path = 'transformer/model.safetensors';
  const reading = (options = QUICK): Promise<Uint8Array> =>
    urlSource(`${server.url}/m/`, options).read(path, 10, 4);

  test('does not show ranges to other sites is asked for the length', async () => {
    await start((_, response) => {
      const write = response.writeHead.bind(response);
      response.writeHead = ((status: number, headers: Record<string, unknown>) => {
        delete headers['content-range'];
        return write(status, headers as never);
      }) as never;
    });
    expect(await reading()).toEqual(WEIGHTS.slice(10, 14));
    expect(server.requests[1]).toBe(`HEAD /m/${path}`);
  });

  test('ignores ranges gives small files whole', async () => {
    await start((request) => delete request.headers.range);
    expect(await reading()).toEqual(WEIGHTS.slice(10, 14));
  });

  test('ignores ranges of large files is refused, before much is read', async () => {
    await start((_, response) => {
      response.writeHead(200, { 'content-length': 2 ** 30 });
      response.write('a');
    });
    await expect(reading()).rejects.toMatchObject({
      code: 'bad-checkpoint',
      message: expect.stringContaining(`${server.url}/m/${path} cannot be read in parts`) as string,
    });
  });

  test('stops giving ranges is refused', async () => {
    await start((request) => {
      if (request.headers.range !== 'bytes=0-0') delete request.headers.range;
    });
    await expect(reading()).rejects.toThrow('the server gives it only whole');
  });

  test('gives other bytes is refused', async () => {
    await start((request) => {
      if (request.headers.range !== 'bytes=0-0') request.headers.range = 'bytes=20-23';
    });
    await expect(reading()).rejects.toThrow('other bytes than were asked for');
  });

  test('gives more bytes than it says is not read to the end', async () => {
    await start((request, response) => {
      if (request.headers.range === 'bytes=0-0') return;
      response.writeHead(206);
      response.end(new Uint8Array(100));
    });
    await expect(reading()).rejects.toThrow('gives more than 4 bytes');
  });

  test.each([
    [401, 'no-access'],
    [403, 'no-access'],
    [404, 'not-found'],
    [503, 'offline'],
  ])('answers %i: %s', async (status, code) => {
    await start((_, response) => refuse(response, status));
    await expect(reading()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(String(status)) as string,
    });
    // Only what may pass is tried again.
    expect(server.requests).toHaveLength(code === 'offline' ? 3 : 1);
  });

  test('is busy, or loses the connection, is asked again', async () => {
    let asked = 0;
    await start((request, response) => {
      asked++;
      if (asked === 1) refuse(response, 503);
      if (asked === 2) request.socket.destroy();
      if (asked === 4) {
        response.writeHead(206, { 'content-length': 4 });
        response.write('a', () => request.socket.destroy());
      }
    });
    expect(await reading()).toEqual(WEIGHTS.slice(10, 14));
    expect(asked).toBe(5);
  });

  test('is not there is said to be unreachable', async () => {
    await start();
    await server.close();
    await expect(reading()).rejects.toMatchObject({
      code: 'offline',
      message: expect.stringContaining('cannot be reached') as string,
    });
  });

  test('answers everything with its page has none of the files', async () => {
    await start((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end('<html>');
    });
    const source = urlSource(server.url, QUICK);
    expect(await source.has('config.json')).toBe(false);
    expect(await source.has(path)).toBe(false);
    await expect(source.size(path)).rejects.toThrow('answers with a web page');
  });
});

test('a signal ends reading', async () => {
  await start(() => undefined);
  const controller = new AbortController();
  const source = urlSource(server.url, { ...QUICK, signal: controller.signal });
  controller.abort();
  await expect(source.read('a b.safetensors', 0, 1)).rejects.toMatchObject({ code: 'cancelled' });
});
