/**
 * The service worker: the page's files and its built-in model are kept when it is installed, so
 * that pictures can be made without a connection. What is not on its list passes untouched.
 */
import { clientsClaim } from 'workbox-core';
import { addPlugins, type PrecacheEntry, precacheAndRoute } from 'workbox-precaching';
import { registerRoute } from 'workbox-routing';
import { runtimeCache, TAKE_OVER } from './cache.ts';

declare const self: ServiceWorkerGlobalScope;

const files = self.__WB_MANIFEST as PrecacheEntry[];
const isRuntime = ({ url }: { url: string }): boolean => url.endsWith('.wasm');
const runtimes = files
  .filter(isRuntime)
  .map(({ url }) => new URL(url, self.registration.scope).href);
const kept = (): Promise<Cache> => caches.open(runtimeCache(self.registration.scope));

clientsClaim();

addPlugins([
  {
    // The page has just loaded the model: asking whether it is the newest one costs no download.
    requestWillFetch: ({ request }) =>
      Promise.resolve(
        request.cache === 'reload' ? new Request(request, { cache: 'no-cache' }) : request,
      ),
    handlerWillRespond: ({ request, response }) => Promise.resolve(isolated(request, response)),
  },
]);
precacheAndRoute(
  files.filter((file) => !isRuntime(file)),
  // The page's own address says which model and backend it should use.
  { ignoreURLParametersMatching: [/./], cleanURLs: false },
);

// The page keeps what it uses (runtimes.ts).
registerRoute(
  ({ url }) => runtimes.includes(url.href),
  async ({ request }) => (await (await kept()).match(request.url)) ?? fetch(request),
);

self.addEventListener('install', (event) => event.waitUntil(renewRuntimes()));
self.addEventListener('activate', (event) => event.waitUntil(dropOldRuntimes()));
self.addEventListener('message', ({ data }) => {
  if (data === TAKE_OVER) void self.skipWaiting();
});

/** Pages and workers may share memory, also from hosts that cannot send these headers. */
function isolated(request: Request, response: Response): Response {
  if (request.destination !== 'document' && request.destination !== 'worker') return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  const { body, status, statusText } = response;
  return new Response(body, { status, statusText, headers });
}

/** A version that comes after another has the builds that the other had. */
async function renewRuntimes(): Promise<void> {
  const cache = await kept();
  const old = (await cache.keys()).map(({ url }) => url);
  const had = new Set(old.map(buildOf));
  const missing = runtimes.filter((url) => had.has(buildOf(url)) && !old.includes(url));
  await cache.addAll(missing);
}

async function dropOldRuntimes(): Promise<void> {
  const cache = await kept();
  const old = (await cache.keys()).filter(({ url }) => !runtimes.includes(url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

/** Address of a build without the hash of its bytes. */
const buildOf = (url: string): string => url.replace(/-[\w-]{8}\.wasm$/, '');
