/** A web server on this machine, as tests of sources need it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestServer {
  readonly url: string;
  /** Method, path and range of every request so far. */
  readonly requests: string[];
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => void;

export async function serve(handler: Handler): Promise<TestServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname);
    requests.push([request.method, path, request.headers.range ?? ''].join(' ').trim());
    handler(request, response, path);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Answers with the bytes, or with the part of them that is asked for. */
export function give(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array | string | undefined,
): void {
  if (bytes === undefined) return refuse(response, 404);
  const body = Buffer.from(bytes);
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (!range) {
    response.writeHead(200, { 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  const from = Number(range[1]);
  const to = Math.min(Number(range[2]) + 1, body.length);
  if (from >= body.length) return refuse(response, 416);
  response.writeHead(206, {
    etag: '"1"',
    'content-length': to - from,
    'content-range': `bytes ${from}-${to - 1}/${body.length}`,
  });
  response.end(body.subarray(from, to));
}

export function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: 'refused by the test' }));
}
