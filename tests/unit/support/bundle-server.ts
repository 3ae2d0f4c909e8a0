/** A web server on this machine that serves a bundle, and does what servers and networks do. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BundleServer {
  readonly url: string;
  /** By path; may be changed at any time. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** Requests so far, as `path from-to`, or the path alone without a range. */
  readonly requests: string[];
  /** Body bytes sent so far. */
  sent: number;
  behaviour: Behaviour;
  close(): Promise<void>;
}

export interface Behaviour {
  /** False: every answer is the whole file. */
  readonly ranges?: boolean;
  readonly etag?: (path: string) => string | undefined;
  /** Bytes of the body until the connection breaks, or until nothing more comes. */
  readonly cutAfter?: (path: string) => number;
  readonly silentAfter?: (path: string) => number;
  /** Changes what is sent. */
  readonly corrupt?: (path: string, body: Uint8Array<ArrayBuffer>, from: number) => void;
  /** A status in place of the file. */
  readonly status?: (path: string) => number | undefined;
  /** Says nothing of lengths. */
  readonly chunked?: boolean;
}

export async function serveBundle(
  files: Map<string, Uint8Array<ArrayBuffer>>,
  behaviour: Behaviour = {},
): Promise<BundleServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/model\//, '');
    answer(path, request.headers.range, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const served: BundleServer = {
    url: `http://127.0.0.1:${port}/model`,
    files,
    requests: [],
    sent: 0,
    behaviour,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return served;

  function answer(path: string, header: string | undefined, response: ServerResponse): void {
    const { ranges = true, etag, status, chunked, corrupt } = served.behaviour;
    const range = /^bytes=(\d+)-(\d+)$/.exec(header ?? '');
    served.requests.push(range ? `${path} ${range[1]}-${range[2]}` : path);
    const file = files.get(path);
    const refusal = status?.(path) ?? (file ? undefined : 404);
    if (!file || refusal !== undefined) return void response.writeHead(refusal ?? 404).end('sorry');
    const version = etag?.(path);
    if (version !== undefined) response.setHeader('etag', version);
    let body = file;
    let from = 0;
    if (range && ranges) {
      from = Number(range[1]);
      if (from >= file.length) return void response.writeHead(416).end();
      body = file.subarray(from, Number(range[2]) + 1);
      const last = from + body.length - 1;
      response.setHeader('content-range', `bytes ${from}-${last}/${file.length}`);
      response.statusCode = 206;
    }
    if (corrupt) corrupt(path, (body = body.slice()), from);
    if (!chunked) response.setHeader('content-length', body.length);
    send(path, body, response);
  }

  function send(path: string, body: Uint8Array, response: ServerResponse): void {
    const { cutAfter, silentAfter } = served.behaviour;
    const cut = cutAfter?.(path) ?? Infinity;
    const silent = silentAfter?.(path) ?? Infinity;
    const reach = Math.min(cut, silent, body.length);
    served.sent += reach;
    if (reach === body.length) return void response.end(body);
    response.flushHeaders();
    response.write(body.subarray(0, reach), () => {
      if (cut <= silent) setTimeout(() => response.destroy(), 2);
    });
  }
}
