/** Serves the built page with the headers that it needs, and opens it where there is a desktop. */
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Plugin, preview } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEFAULT_PORT = 4173;

export interface PageServer {
  /** Address of the page, ends in a slash. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ServeOptions {
  /** First port to try; where it is taken, the next free one. */
  readonly port?: number;
  readonly open?: boolean;
}

/** Files with a hash in their name never change. Browsers ask after all others, the service worker too. */
const lasting: Plugin = {
  name: 'lasting-assets',
  configurePreviewServer({ middlewares }) {
    middlewares.use('/assets/', (_, response, next) => {
      response.setHeader('Cache-Control', 'max-age=31536000, immutable');
      next();
    });
  },
};

/** Serves dist/ on this machine only. The headers for isolation are those of vite.config.ts. */
export async function servePage({
  port = DEFAULT_PORT,
  open = false,
}: ServeOptions = {}): Promise<PageServer> {
  const server = await preview({
    root: ROOT,
    logLevel: 'warn',
    plugins: [lasting],
    preview: { host: '127.0.0.1', port, strictPort: false, open },
  });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('The server has no address.');
  return { url, close: () => server.close() };
}

/** Whether a browser window could open: always on macOS and Windows, else with a display. */
export function hasDesktop(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return ['darwin', 'win32'].includes(process.platform) || Boolean(DISPLAY || WAYLAND_DISPLAY);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (!existsSync(new URL('../dist/index.html', import.meta.url))) {
    console.error('There is no dist/index.html yet. Run: npm run build');
    process.exit(1);
  }
  const { url } = await servePage({ open: hasDesktop() });
  console.log(`HiCache Studio is at ${url} (Ctrl+C ends it)`);
}
