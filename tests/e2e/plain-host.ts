/** A static host of the simplest kind: the built page in a folder, and no headers for isolation. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { createHash } from 'node:crypto';

const BUILT = new URL('../../dist/', import.meta.url);
const FOLDER = '/some/folder/';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

export interface PlainHost {
  readonly url: string;
  /** Paths of the files that were sent, in order; an answer "not modified" sends none. */
  readonly sent: readonly string[];
  /** From now on the page has this title, and its service worker lists it as changed. */
  publish(title: string): void;
  close(): Promise<void>;
}

export async function startPlainHost(): Promise<PlainHost> {
  const sent: string[] = [];
  let title: string | undefined;

  const fileAt = (path: string): Buffer | undefined => {
    const file = new URL(path, BUILT);
    if (!file.href.startsWith(BUILT.href) || !existsSync(file)) return undefined;
    const bytes = readFileSync(file);
    if (title === undefined) return bytes;
    if (path === 'index.html') {
      return Buffer.from(bytes.toString().replace(/<title>.*</, `<title>${title}<`));
    }
    if (path === 'service-worker.js') {
      const entry = /"revision":"\w+"(,"url":"index.html")/;
      return Buffer.from(bytes.toString().replace(entry, `"revision":"${title}"$1`));
    }
    return bytes;
  };

  const answer = (path: string, known: string | undefined, response: ServerResponse): void => {
    const bytes = fileAt(path);
    if (!bytes) return void response.writeHead(404).end();
    const etag = `"${createHash('sha1').update(bytes).digest('hex')}"`;
    const headers = {
      'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
      'Content-Length': bytes.length,
      'Cache-Control': 'max-age=600',
      ETag: etag,
    };
    if (known === etag) return void response.writeHead(304, headers).end();
    sent.push(path);
    response.writeHead(200, headers).end(bytes);
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://host');
    const path = pathname.startsWith(FOLDER) ? pathname.slice(FOLDER.length) : '../';
    answer(path || 'index.html', request.headers['if-none-match'], response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${FOLDER}`,
    sent,
    publish: (next) => (title = next),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
